/** Icons of ours, and which icon a template has. */

import { LabIcon, pythonIcon } from '@jupyterlab/ui-components';

export const replIcon = new LabIcon({
  name: 'jupyter-repl:repl',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M3 4h18v16H3V4zm2 2v12h14V6H5zm2 3 3 3-3 3 1 1 4-4-4-4-1 1zm6 6h4v1h-4v-1z"/></svg>'
});

export const powerIcon = new LabIcon({
  name: 'jupyter-repl:power',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M11 3h2v10h-2V3zm6.8 2.2-1.4 1.4A7 7 0 0 1 12 19 7 7 0 0 1 7.6 6.6L6.2 5.2a9 9 0 1 0 11.6 0z"/></svg>'
});

export const collapseIcon = new LabIcon({
  name: 'jupyter-repl:collapse',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M4 4h12v2H6v10H4V4zm4 4h12v12H8V8zm2 2v8h8v-8h-8zm2 3h4v2h-4v-2z"/></svg>'
});

const nodeIcon = new LabIcon({
  name: 'jupyter-repl:node-js',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path fill="#3c873a" d="M12 1.6 21 6.8v10.4l-9 5.2-9-5.2V6.8l9-5.2z"/><path fill="#fff" d="M8.6 8.2h1.7v6.3c0 1.7-.9 2.6-2.3 2.6-.5 0-.9-.1-1.3-.3l.2-1.4c.3.1.6.2.8.2.5 0 .9-.3.9-1.2V8.2zm6.1-.1c1 0 1.8.2 2.5.6l-.5 1.3c-.6-.3-1.3-.5-1.9-.5-.8 0-1.2.3-1.2.8 0 .6.5.8 1.7 1.2 1.6.5 2.3 1.2 2.3 2.5 0 1.5-1.1 2.6-3.2 2.6-1.1 0-2.1-.3-2.8-.7l.4-1.4c.6.4 1.5.6 2.3.6.9 0 1.5-.3 1.5-.9 0-.6-.5-.9-1.6-1.2-1.6-.5-2.4-1.3-2.4-2.5 0-1.4 1.1-2.4 2.9-2.4z"/></svg>'
});

const TEMPLATE_ICONS: Record<string, LabIcon> = { python: pythonIcon, 'node-js': nodeIcon };

/** A button that shows an icon, and says its label to whoever asks. */
export function makeIconButton(label: string, icon: LabIcon, onClick: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.className = 'jp-Repl-iconButton';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.append(icon.element({ tag: 'span' }));
  button.onclick = onClick;
  return button;
}

/** The icon that a template names, else our own. */
export function templateIcon(name: string): LabIcon {
  return TEMPLATE_ICONS[name] ?? replIcon;
}
