/** Everything of xterm hangs on this module, which is imported lazily: `import('../xterm/load')`. */

import { FitAddon } from '@xterm/addon-fit';
import { ISearchOptions, SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { ITerminalOptions, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

import type { ISettings } from '../model/settings';
import type { ILocation } from '../model/traceback';
import { fontOf } from '../theme/fonts';
import { locationLinks } from './links';
import { xtermTheme } from './theme';

export { xtermTheme };
export type { ISearchOptions, SearchAddon };

/** A terminal on the screen, with what was added to it. */
export interface IXterm {
  terminal: Terminal;
  fit: FitAddon;
  search: SearchAddon;
}

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
): IXterm {
  const terminal = new Terminal({
    allowProposedApi: true, // for the tables of character widths
    cursorBlink: false,
    scrollback: SCROLLBACK,
    theme: xtermTheme(),
    ...optionsOf(settings)
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  // emoji are two columns wide to programs, but not to xterm's own tables, which are those of Unicode 6
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon());
  terminal.registerLinkProvider(locationLinks(terminal, folder, openLocation));
  terminal.open(node);
  useWebgl(terminal);
  return { terminal, fit, search };
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

/** All that is kept of its output, as lines. */
export function textOf(terminal: Terminal): string {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let index = 0; index < active.length; index++) {
    const isWrapped = active.getLine(index + 1)?.isWrapped ?? false;
    lines.push(active.getLine(index)!.translateToString(!isWrapped), isWrapped ? '' : '\n');
  }
  return lines.join('').trimEnd();
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
