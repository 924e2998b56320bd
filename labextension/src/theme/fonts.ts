/** The font of editors and terminals: from the person's settings, else JupyterLab's code font. */

import type { ISettings } from '../model/settings';

export function fontOf(settings: ISettings): { fontFamily: string; fontSize: number } {
  const style = getComputedStyle(document.body);
  return {
    fontFamily: settings.fontFamily || style.getPropertyValue('--jp-code-font-family').trim() || 'monospace',
    fontSize: settings.fontSize || parseInt(style.getPropertyValue('--jp-code-font-size'), 10) || 13
  };
}
