/** JupyterLab's theme as Monaco's. */

import * as monaco from 'monaco-editor/editor';
import { cssColor, isLight } from '../theme/colors';

export const THEME = 'jupyterlab';

/** Read JupyterLab's colours again. Call it when JupyterLab's theme has changed. */
export function applyTheme(): void {
  monaco.editor.defineTheme(THEME, {
    base: isLight() ? 'vs' : 'vs-dark',
    inherit: true,
    rules: [],
    colors: {
      'editor.background': cssColor('--jp-layout-color0'),
      'editor.foreground': cssColor('--jp-content-font-color1'),
      'editorCursor.foreground': cssColor('--jp-editor-cursor-color'),
      'editorGutter.background': cssColor('--jp-layout-color0'),
      'editorLineNumber.foreground': cssColor('--jp-ui-font-color2'),
      'editorLineNumber.activeForeground': cssColor('--jp-ui-font-color1'),
      'editorWidget.background': cssColor('--jp-layout-color1'),
      'editorWidget.border': cssColor('--jp-border-color1'),
      'editor.selectionBackground': cssColor('--jp-editor-selected-focused-background')
    }
  });
  monaco.editor.setTheme(THEME);
}
