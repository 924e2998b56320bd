/** `.repl.toml` in the editor: completes keys, and marks errors in the text. The runner's parser finds the errors. */

import * as monaco from 'monaco-editor/editor';
import type { ISettingsCheck } from '../model/messages';

export const SETTINGS_FILE = '.repl.toml';
const OWNER = 'jupyter-repl';
const CHECK_DELAY = 300;

/** Resolves to the problems of a text; rejects while the runner does not answer. */
export type Check = (text: string) => Promise<ISettingsCheck>;

monaco.languages.register({ id: 'toml', extensions: ['.toml'], aliases: ['TOML'] });
monaco.languages.setLanguageConfiguration('toml', {
  comments: { lineComment: '#' },
  brackets: [
    ['[', ']'],
    ['{', '}']
  ],
  autoClosingPairs: [
    { open: '"', close: '"' },
    { open: "'", close: "'" },
    { open: '[', close: ']' }
  ]
});
monaco.languages.setMonarchTokensProvider('toml', {
  tokenizer: {
    root: [
      [/#.*$/, 'comment'],
      [/^\s*\[.*\]\s*$/, 'type'],
      [/[A-Za-z0-9_-]+(?=\s*=)/, 'variable'],
      [/"""/, 'string', '@multi'],
      [/"(?:[^"\\]|\\.)*"|'[^']*'/, 'string'],
      [/\b(?:true|false)\b/, 'keyword'],
      [/[+-]?\d[\d_.:TZeE+-]*/, 'number']
    ],
    multi: [
      [/"""/, 'string', '@pop'],
      [/[^"]+|"/, 'string']
    ]
  }
});

const checks = new WeakMap<monaco.editor.ITextModel, Check>();

monaco.languages.registerCompletionItemProvider('toml', {
  provideCompletionItems: async (model, position) => {
    const check = checks.get(model);
    const before = model.getLineContent(position.lineNumber).slice(0, position.column - 1);
    if (!check || !/^\s*[\w-]*$/.test(before)) {
      return { suggestions: [] };
    }
    const { keys } = await check(model.getValue()).catch(() => ({ keys: [] }));
    const { startColumn, endColumn } = model.getWordUntilPosition(position);
    const { lineNumber } = position;
    const range = new monaco.Range(lineNumber, startColumn, lineNumber, endColumn);
    return {
      suggestions: keys.map(({ name, help }) => ({
        label: name,
        kind: monaco.languages.CompletionItemKind.Property,
        detail: help,
        insertText: `${name} = "$0"`,
        insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet,
        range
      }))
    };
  }
});

/** Check the project's settings after each change of the text, until the model is disposed. */
export function checkSettings(model: monaco.editor.ITextModel, check: Check): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async (): Promise<void> => {
    const version = model.getVersionId();
    const { problems } = await check(model.getValue());
    if (model.isDisposed() || model.getVersionId() !== version) {
      return;
    }
    const markers = problems.map(({ line, column, message }) => ({
      severity: monaco.MarkerSeverity.Error,
      message,
      startLineNumber: line,
      startColumn: column,
      endLineNumber: line,
      endColumn: model.getLineMaxColumn(Math.min(line, model.getLineCount()))
    }));
    monaco.editor.setModelMarkers(model, OWNER, markers);
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void run().catch(() => undefined), CHECK_DELAY);
  };
  checks.set(model, check);
  model.onDidChangeContent(soon);
  model.onWillDispose(() => clearTimeout(timer));
  soon();
}
