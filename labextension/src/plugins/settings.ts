/** Loads our schema, so that its keyboard shortcuts and settings are known to JupyterLab. */

import { JupyterFrontEndPlugin } from '@jupyterlab/application';

export const settings: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:settings',
  description: 'Keyboard shortcuts of REPLs.',
  autoStart: true,
  activate: () => undefined
};
