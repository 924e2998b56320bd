/** Places in files that programs name in their output: Python's and Node's tracebacks, and `path:line:column`. */

export interface ILocation {
  /** Relative to the project. */
  path: string;
  line: number;
  column: number;
  /** Where in the text it stands, in UTF-16 units. */
  start: number;
  end: number;
}

/** Each finds path, line and maybe column; the path is in a group of its own, so that spaces in it are no problem. */
const PATTERNS = [
  /File "(?<path>[^"<\n]+)", line (?<line>\d+)/g,
  /(?<![\w.~-])(?:file:\/\/)?(?<path>\/[^\s():'"][^():'"\n]*?):(?<line>\d+)(?::(?<column>\d+))?/g,
  /(?<![\w/.:-])(?<path>(?:\.\/)?[\w@+-][\w@+./-]*\.[A-Za-z]\w*):(?<line>\d+)(?::(?<column>\d+))?/g
];

/**
 * The places in a line of output that lie in the project.
 *
 * @param folder - where the project lies for its programs
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

/** Addresses have their special characters escaped, paths don't. */
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

/** Null if it is none of the project's. */
function relativeTo(path: string, folder: string): string | null {
  const inside = path.startsWith('/') ? cut(path, `${folder}/`) : path.replace(/^\.\//, '');
  return inside && !inside.split('/').some(part => part === '..' || part === '') ? inside : null;
}

function cut(path: string, start: string): string | null {
  return path.startsWith(start) ? path.slice(start.length) : null;
}
