/** Everything of xterm hangs on this module, which is imported lazily: `import('../xterm/load')`. */

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { ITerminalOptions, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

import { xtermTheme } from './theme';

export { xtermTheme };
export type { FitAddon, Terminal };

const SCROLLBACK = 10_000;

/** A terminal in `node`, fitted to it. */
export function createTerminal(node: HTMLElement): { terminal: Terminal; fit: FitAddon } {
  const style = getComputedStyle(document.body);
  const options: ITerminalOptions = {
    allowProposedApi: true, // for the tables of character widths
    cursorBlink: false,
    fontFamily: style.getPropertyValue('--jp-code-font-family') || 'monospace',
    fontSize: parseInt(style.getPropertyValue('--jp-code-font-size'), 10) || 13,
    scrollback: SCROLLBACK,
    theme: xtermTheme()
  };
  const terminal = new Terminal(options);
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  // emoji are two columns wide to programs, but not to xterm's own tables, which are those of Unicode 6
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon());
  terminal.open(node);
  useWebgl(terminal);
  return { terminal, fit };
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
