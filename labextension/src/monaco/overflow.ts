/**
 * The node for Monaco's suggestions and hovers, a child of the body. Inside a Lumino panel they would be misplaced and
 * clipped, because `contain: strict` makes the panel their containing block.
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
