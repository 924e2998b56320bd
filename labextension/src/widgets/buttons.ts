/** Buttons with icons, and our own icons for them. */

import { LabIcon } from '@jupyterlab/ui-components';

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

/** A place in the window, in pixels. */
export interface IPoint {
  x: number;
  y: number;
}

/**
 * A button that shows an icon; its label is its tooltip and its accessible name.
 *
 * @param onClick - called with the button's lower left corner, where a menu can open
 */
export function makeIconButton(
  label: string,
  icon: LabIcon,
  onClick: (at: IPoint) => void
): HTMLButtonElement {
  const button = document.createElement('button');
  button.className = 'jp-Repl-iconButton';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.append(icon.element({ tag: 'span' }));
  button.onclick = () => {
    const { left, bottom } = button.getBoundingClientRect();
    onClick({ x: left, y: bottom });
  };
  return button;
}
