import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The layers: model knows nothing of ours, api is the only code with network, widgets never fetch. */
function layer(files, patterns) {
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: patterns.map(group => ({ group: [group], allowTypeImports: true })) }
      ]
    }
  };
}

export default tseslint.config(
  { ignores: ['lib', 'dist', 'node_modules', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      curly: 'error',
      eqeqeq: 'error',
      'no-restricted-globals': ['error', 'event', 'name'],
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off', // Lumino's signals take the method and its this apart
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }]
    }
  },
  layer(
    ['src/model/**'],
    ['@jupyterlab/*', '../api/*', '../widgets/*', '../plugins/*', '../monaco/*', '../xterm/*', '../theme/*']
  ),
  layer(
    ['src/widgets/**'],
    ['@jupyterlab/services', '../plugins/*', '../api/rest', '../api/files', '../api/repl']
  ),
  layer(['src/api/**'], ['../widgets/*', '../plugins/*', '../theme/*']),
  layer(['src/monaco/**', 'src/xterm/**'], ['../api/*', '../widgets/*', '../plugins/*']),
  layer(
    ['src/theme/**'],
    ['../api/*', '../model/*', '../widgets/*', '../plugins/*', '../monaco/*', '../xterm/*']
  ),
  {
    files: ['src/widgets/**', 'src/model/**', 'src/plugins/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.name='fetch']", message: 'Only api/ has network.' }
      ]
    }
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { module: 'writable' } }
  }
);
