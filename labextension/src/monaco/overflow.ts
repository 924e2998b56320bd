/**
 * The node for Monaco's suggestions and hovers. Lumino's panels have `contain: strict`, which would make them the
 * containing block of these boxes, misplaced and clipped; so they live in the body.
 */

import { isLight } from '../theme/colors';

const ID = 'jp-Repl-monacoOverflow';

export function overflowNode(): HTMLElement {
  let node = document.getElementById(ID);
  if (!node) {
    node = document.createElement('div');
    node.id = ID;
    node.dataset.lmSuppressShortcuts = 'true';
    document.body.appendChild(node);
  }
  node.className = `monaco-editor ${isLight() ? 'vs' : 'vs-dark'}`;
  return node;
}
