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
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M11 3h2v10h-2V3zm6.800 2.200-1.400 1.400A7 7 0 0 1 12 19 7 7 0 0 1 7.600 6.600L6.200 5.200a9 9 0 1 0 11.600 0z"/></svg>'
});

const nodeIcon = new LabIcon({
  name: 'jupyter-repl:node-js',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path fill="#3c873a" d="M12 1.6 21 6.8v10.4l-9 5.2-9-5.2V6.8l9-5.2z"/><path fill="#fff" d="M8.6 8.2h1.7v6.3c0 1.700-.9 2.600-2.300 2.600-.5 0-.9-.1-1.300-.3l.2-1.400c.3.1.6.200.8.200.5 0 .9-.3.9-1.200V8.200zm6.100-.1c1 0 1.800.2 2.500.6l-.5 1.300c-.6-.3-1.300-.5-1.900-.5-.8 0-1.200.3-1.200.8 0 .6.500.8 1.700 1.200 1.600.5 2.300 1.200 2.300 2.500 0 1.500-1.100 2.600-3.200 2.600-1.100 0-2.100-.3-2.800-.7l.4-1.400c.6.4 1.500.6 2.300.6.9 0 1.500-.3 1.500-.9 0-.6-.5-.9-1.600-1.200-1.600-.5-2.400-1.300-2.400-2.500 0-1.400 1.100-2.400 2.900-2.400z"/></svg>'
});

const TEMPLATE_ICONS: Record<string, LabIcon> = { python: pythonIcon, 'node-js': nodeIcon };

/** The icon that a template names, else our own. */
export function templateIcon(name: string): LabIcon {
  return TEMPLATE_ICONS[name] ?? replIcon;
}
