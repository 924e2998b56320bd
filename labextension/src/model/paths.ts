/** Paths inside a project: relative, with `/`; the empty path is the project's own folder. */

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function join(folder: string, name: string): string {
  return folder ? `${folder}/${name}` : name;
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** Drops paths that lie below another one: a person who selects a folder and files in it means the folder. */
export function topmost(paths: readonly string[]): string[] {
  return paths.filter(path => !paths.some(other => other !== path && isWithin(path, other)));
}

/** `name` with `mark` before its ending: `main (copy).py`. Dots at the beginning belong to the name. */
export function marked(path: string, mark: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  const at = dot > 0 ? dot : name.length;
  return join(parentOf(path), `${name.slice(0, at)} (${mark})${name.slice(at)}`);
}

export type NameProblem = 'empty' | 'slash' | 'dots' | 'too-long';

/** What is wrong with a typed name; null if nothing is. The runner makes the final check. */
export function nameProblem(name: string): NameProblem | null {
  if (name.trim() === '') {
    return 'empty';
  }
  if (name.includes('\0') || name.split('/').some(part => part === '')) {
    return 'slash';
  }
  if (name.split('/').some(part => part === '.' || part === '..')) {
    return 'dots';
  }
  return name.split('/').some(part => new TextEncoder().encode(part).length > 255) ? 'too-long' : null;
}
