/** Loads xterm and all modules that need it. Import this module lazily: `import('../xterm/load')`. */

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

/** A terminal on the screen, with the addons that callers use. */
export interface IXterm {
  terminal: Terminal;
  fit: FitAddon;
  search: SearchAddon;
}

const SCROLLBACK = 10_000;

/**
 * Creates a terminal in `node`. The caller fits it with the addon `fit`.
 *
 * @param folder - returns the project's path as its programs see it
 * @param openLocation - called when a link to a place in a file is clicked
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
  // programs count two columns for an emoji; xterm's own tables, those of Unicode 6, do not
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon());
  terminal.registerLinkProvider(locationLinks(terminal, folder, openLocation));
  terminal.open(node);
  useWebgl(terminal);
  return { terminal, fit, search };
}

/**
 * Dispose of a terminal. xterm 5.5 does not dispose of its monitor of the screen's resolution, which would keep all
 * nodes of the tab in memory until the page closes. Later versions do, and lack the fields that this reads.
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

/** The text of the scrollback and the screen, as lines. */
export function textOf(terminal: Terminal): string {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let index = 0; index < active.length; index++) {
    const isWrapped = active.getLine(index + 1)?.isWrapped ?? false;
    lines.push(active.getLine(index)!.translateToString(!isWrapped), isWrapped ? '' : '\n');
  }
  return lines.join('').trimEnd();
}

/** Converts the person's settings to xterm's options. */
export function optionsOf(settings: ISettings): ITerminalOptions {
  return {
    ...fontOf(settings),
    screenReaderMode: settings.screenReader
  };
}

/** Use the fast WebGL renderer. Without WebGL, or when its context is lost, xterm renders with the DOM. */
function useWebgl(terminal: Terminal): void {
  if (!hasWebgl()) {
    return; // the addon would fail and leave a canvas behind
  }
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // the browser has no WebGL context left
  }
}

function hasWebgl(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext(); // a page may have only 16 contexts
  return context !== null;
}
