/** Our own icons, and the icons of templates. */

import { LabIcon, pythonIcon } from '@jupyterlab/ui-components';

export const replIcon = new LabIcon({
  name: 'jupyter-repl:repl',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M3 4h18v16H3V4zm2 2v12h14V6H5zm2 3 3 3-3 3 1 1 4-4-4-4-1 1zm6 6h4v1h-4v-1z"/></svg>'
});

const nodeIcon = new LabIcon({
  name: 'jupyter-repl:node-js',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path fill="#3c873a" d="M12 1.6 21 6.8v10.4l-9 5.2-9-5.2V6.8l9-5.2z"/><path fill="#fff" d="M8 16V8h2l4 5V8h2v8h-2l-4-5v5z"/></svg>'
});

const TEMPLATE_ICONS: Record<string, LabIcon> = { python: pythonIcon, 'node-js': nodeIcon };

/** The icon that a template names, else our own. */
export function templateIcon(name: string): LabIcon {
  return TEMPLATE_ICONS[name] ?? replIcon;
}
