/** Keeps mixed line ends of a file: an editor has one kind of line ends, but a save may change only edited lines. */

const END = /\r\n|\n|\r/;
/** The most pairs of lines that are compared to find out which of several edited lines are new. */
const MOST_PAIRS = 1_000_000;

/** The text of a file on disk. Converts an editor's text to the line ends of the disk. */
export class DiskText {
  get text(): string {
    return this._text;
  }

  set text(text: string) {
    this._text = text;
    this._lines = isMixed(text) ? linesOf(text) : null;
  }

  /** Returns an editor's text with the line ends that its lines have on disk. New lines keep the editor's line ends. */
  of(shown: string): string {
    return this._lines ? keepEnds(this._lines, linesOf(shown)) : shown;
  }

  private _text = '';
  private _lines: ILines | null = null;
}

/** The lines without their line ends, and the line ends. The last line has none. */
interface ILines {
  lines: string[];
  ends: string[];
}

/** Whether a text has more than one kind of line ends. */
export function isMixed(text: string): boolean {
  const first = END.exec(text);
  if (!first) {
    return false;
  }
  const others = { '\r\n': /(^|[^\r])\n|\r(?!\n)/, '\n': /\r/, '\r': /\n/ }[first[0]]!;
  return others.test(text);
}

function linesOf(text: string): ILines {
  return { lines: text.split(END), ends: text.match(new RegExp(END, 'g')) ?? [] };
}

function keepEnds(before: ILines, now: ILines): string {
  const pairs = match(before.lines, now.lines);
  let gap = 0; // where the edited lines begin
  const ends = now.lines.map((_, at) => now.ends[at] ?? '');
  for (let at = 0; at <= pairs.length; at++) {
    if (at < pairs.length && pairs[at] < 0) {
      continue;
    }
    const from = gap ? pairs[gap - 1] + 1 : 0;
    const to = at < pairs.length ? pairs[at] : before.lines.length;
    // Edited lines that replace equally many lines take their line ends one by one. Otherwise only the last edited line
    // takes one: that of the last replaced line.
    for (let edited = gap; edited < at; edited++) {
      const place =
        to - from === at - gap ? from + edited - gap : edited === at - 1 && to > from ? to - 1 : -1;
      ends[edited] = before.ends[place] ?? ends[edited];
    }
    if (at < pairs.length) {
      ends[at] = before.ends[pairs[at]] ?? ends[at];
    }
    gap = at + 1;
  }
  ends[ends.length - 1] = '';
  return now.lines.map((line, at) => line + ends[at]).join('');
}

/** For each line of `now`, the index of the same line in `before`; -1 if the line is new or edited. */
function match(before: string[], now: string[]): Int32Array {
  const pairs = new Int32Array(now.length).fill(-1);
  const most = Math.min(before.length, now.length);
  let head = 0;
  while (head < most && before[head] === now[head]) {
    pairs[head] = head;
    head++;
  }
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === now[now.length - 1 - tail]) {
    tail++;
    pairs[now.length - tail] = before.length - tail;
  }
  const [rows, columns] = [before.length - head - tail, now.length - head - tail];
  if (rows && columns && rows * columns <= MOST_PAIRS) {
    matchMiddle(before.slice(head, head + rows), now.slice(head, head + columns), head, pairs);
  }
  return pairs;
}

/** The longest common subsequence. */
function matchMiddle(before: string[], now: string[], head: number, pairs: Int32Array): void {
  const width = now.length + 1;
  const longest = new Int32Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      const at = row * width + column;
      longest[at] =
        before[row] === now[column]
          ? longest[at + width + 1] + 1
          : Math.max(longest[at + width], longest[at + 1]);
    }
  }
  let [row, column] = [0, 0];
  while (row < before.length && column < now.length) {
    const at = row * width + column;
    if (before[row] === now[column]) {
      pairs[head + column++] = head + row++;
    } else if (longest[at + width] >= longest[at + 1]) {
      row++;
    } else {
      column++;
    }
  }
}
