/** Loads Monaco and all modules that need it. Import this module lazily: `import('../monaco/load')`. */

import * as monaco from 'monaco-editor/editor';
import 'monaco-editor/features/register.all';
import './languages';

import { overflowNode } from './overflow';
import { checkSettings, SETTINGS_FILE } from './settingsFile';
import { applyTheme } from './theme';

interface IWorkers {
  getWorker?(id: string, label: string): Worker;
}

// The variable is global, so another extension's Monaco may have set it. Its workers serve our Monaco too.
const environment = ((self as { MonacoEnvironment?: IWorkers }).MonacoEnvironment ??= {});
environment.getWorker ??= (_, label) => {
  const options: WorkerOptions = { type: 'module', name: label };
  switch (label) {
    case 'typescript':
    case 'javascript':
      return new Worker(
        new URL('monaco-editor/languages/features/typescript/ts.worker.js', import.meta.url),
        options
      );
    case 'json':
      return new Worker(
        new URL('monaco-editor/languages/features/json/json.worker.js', import.meta.url),
        options
      );
    case 'css':
    case 'scss':
    case 'less':
      return new Worker(
        new URL('monaco-editor/languages/features/css/css.worker.js', import.meta.url),
        options
      );
    case 'html':
      return new Worker(
        new URL('monaco-editor/languages/features/html/html.worker.js', import.meta.url),
        options
      );
    default:
      return new Worker(new URL('monaco-editor/editor/editor.worker.js', import.meta.url), options);
  }
};

export { applyTheme, checkSettings, monaco, overflowNode, SETTINGS_FILE };
