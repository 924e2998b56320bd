/** Everything of xterm hangs on this module, which is imported lazily: `import('../xterm/load')`. */

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { ITerminalOptions, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

import type { ISettings } from '../model/settings';
import type { ILocation } from '../model/traceback';
import { fontOf } from '../widgets/fonts';
import { locationLinks } from './links';
import { xtermTheme } from './theme';

export { xtermTheme };
export type { FitAddon, Terminal };

const SCROLLBACK = 10_000;

/**
 * A terminal in `node`, fitted to it.
 *
 * @param folder - where the project lies for its programs
 * @param openLocation - a place in a file was clicked
 */
export function createTerminal(
  node: HTMLElement,
  settings: ISettings,
  folder: () => string,
  openLocation: (location: ILocation) => void
): { terminal: Terminal; fit: FitAddon } {
  const terminal = new Terminal({
    allowProposedApi: true, // for the tables of character widths
    cursorBlink: false,
    scrollback: SCROLLBACK,
    theme: xtermTheme(),
    ...optionsOf(settings)
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  // emoji are two columns wide to programs, but not to xterm's own tables, which are those of Unicode 6
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon());
  terminal.registerLinkProvider(locationLinks(terminal, folder, openLocation));
  terminal.open(node);
  useWebgl(terminal);
  return { terminal, fit };
}

/**
 * End a terminal. xterm 5.5 forgets its watch of the screen's resolution, which would keep all of the tab's nodes for as
 * long as the page lives; a later version has another shape here, and no need of this.
 */
export function disposeTerminal(terminal: Terminal): void {
  const { _core: core } = terminal as unknown as { _core?: ICore };
  const monitor = core?._coreBrowserService?._screenDprMonitor;
  terminal.dispose();
  monitor?.dispose?.();
}

interface ICore {
  _coreBrowserService?: { _screenDprMonitor?: { dispose?(): void } };
}

/** The person's settings as xterm's. */
export function optionsOf(settings: ISettings): ITerminalOptions {
  return {
    ...fontOf(settings),
    screenReaderMode: settings.screenReader
  };
}

/** The fast renderer where the browser has one; the DOM's otherwise, also when the context is lost. */
function useWebgl(terminal: Terminal): void {
  if (!hasWebgl()) {
    return; // the addon would leave a canvas behind before it gives up
  }
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // the browser has no context left
  }
}

function hasWebgl(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext(); // a page may have 16
  return context !== null;
}
