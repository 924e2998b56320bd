/** Turns file locations in a program's output into links: a click opens the editor at the location. */

import type { IBufferRange, ILink, ILinkProvider, Terminal } from '@xterm/xterm';
import { findLocations, ILocation } from '../model/traceback';

/** The most rows of a wrapped line that are searched: a longer line is no traceback. */
const MAX_ROWS = 8;

export function locationLinks(
  terminal: Terminal,
  folder: () => string,
  open: (location: ILocation) => void
): ILinkProvider {
  return {
    provideLinks: (row, callback) => {
      const { text, first } = wrappedLine(terminal, row - 1);
      const links = findLocations(text, folder()).map<ILink>(location => ({
        text: text.slice(location.start, location.end),
        range: rangeOf(terminal, first, location),
        activate: () => open(location)
      }));
      callback(links.filter(({ range }) => range.start.y <= row && range.end.y >= row));
    }
  };
}

/** Returns the whole line that a screen row belongs to, wrapped or not, and its first row. Rows count from 0. */
function wrappedLine(terminal: Terminal, row: number): { text: string; first: number } {
  const buffer = terminal.buffer.active;
  let first = row;
  while (first > 0 && row - first < MAX_ROWS && buffer.getLine(first)?.isWrapped) {
    first--;
  }
  let text = buffer.getLine(first)?.translateToString(false) ?? '';
  for (let next = first + 1; next - first < MAX_ROWS && buffer.getLine(next)?.isWrapped; next++) {
    text += buffer.getLine(next)!.translateToString(false);
  }
  return { text, first };
}

/** Columns and rows from 1, as xterm counts them. */
function rangeOf(terminal: Terminal, first: number, { start, end }: ILocation): IBufferRange {
  const at = (index: number): { x: number; y: number } => ({
    x: (index % terminal.cols) + 1,
    y: first + Math.floor(index / terminal.cols) + 1
  });
  return { start: at(start), end: at(end - 1) };
}
