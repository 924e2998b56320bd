/** Everything of xterm hangs on this module, which is imported lazily: `import('../xterm/load')`. */

import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { ITerminalOptions, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

import { xtermTheme } from './theme';

export { xtermTheme };
export type { FitAddon, Terminal };

const SCROLLBACK = 10_000;

/** A terminal in `node`, fitted to it. */
export function createTerminal(node: HTMLElement): {
  terminal: Terminal;
  fit: FitAddon;
  search: SearchAddon;
} {
  const style = getComputedStyle(document.body);
  const options: ITerminalOptions = {
    cursorBlink: false,
    fontFamily: style.getPropertyValue('--jp-code-font-family') || 'monospace',
    fontSize: parseInt(style.getPropertyValue('--jp-code-font-size'), 10) || 13,
    scrollback: SCROLLBACK,
    theme: xtermTheme()
  };
  const terminal = new Terminal(options);
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new WebLinksAddon());
  terminal.open(node);
  useWebgl(terminal);
  return { terminal, fit, search };
}

/** The fast renderer where the browser has one; the DOM's otherwise, also when the context is lost. */
function useWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // no WebGL2 here
  }
}
