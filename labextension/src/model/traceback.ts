/** Places in files that programs name in their output: Python's and Node's tracebacks, and `path:line:column`. */

export interface ILocation {
  /** Relative to the project. */
  path: string;
  line: number;
  column: number;
  /** Where the location begins and ends in the text, in UTF-16 units. */
  start: number;
  end: number;
}

/** Each finds a path, a line and perhaps a column. The path has its own group, so spaces in it are no problem. */
const PATTERNS = [
  /File "(?<path>[^"<\n]+)", line (?<line>\d+)/g,
  /(?<![\w.~-])(?:file:\/\/)?(?<path>\/[^\s():'"][^():'"\n]*?):(?<line>\d+)(?::(?<column>\d+))?/g,
  /(?<![\w/.:-])(?<path>(?:\.\/)?[\w@+-][\w@+./-]*\.[A-Za-z]\w*):(?<line>\d+)(?::(?<column>\d+))?/g
];

/**
 * The places in a line of output that lie in the project.
 *
 * @param folder - the path of the project's folder, as its programs see it
 */
export function findLocations(text: string, folder: string): ILocation[] {
  const found: ILocation[] = [];
  const taken: [number, number][] = [];
  for (const pattern of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const { path, line, column } = match.groups as Record<string, string | undefined>;
      const inside = relativeTo(decode(match[0], path!), folder);
      const [start, end] = [match.index, match.index + match[0].length];
      if (taken.some(([from, to]) => start < to && end > from)) {
        continue; // a part of a path that was parsed as a whole
      }
      taken.push([start, end]);
      if (inside) {
        found.push({ path: inside, line: Number(line), column: Number(column ?? 1), start, end });
      }
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** URLs (`file:`) escape special characters; paths don't. */
function decode(match: string, path: string): string {
  if (!match.startsWith('file:')) {
    return path;
  }
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Returns null if the path is not in the project. */
function relativeTo(path: string, folder: string): string | null {
  const inside = path.startsWith('/') ? cut(path, `${folder}/`) : path.replace(/^\.\//, '');
  return inside && !inside.split('/').some(part => part === '..' || part === '') ? inside : null;
}

function cut(path: string, start: string): string | null {
  return path.startsWith(start) ? path.slice(start.length) : null;
}
