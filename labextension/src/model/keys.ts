/** Which keys are ours in a terminal: all others belong to the program in it. */

/** @param keystroke - as Lumino writes it, for example `Ctrl Shift C` */
export function isOursInTerminal(keystroke: string): boolean {
  const keys = keystroke.split(' ');
  const key = keys.pop()!;
  const held = new Set(keys);
  if (held.has('Cmd')) {
    return true; // no program in a terminal sees it
  }
  if (/^F\d+$/.test(key) || (held.has('Ctrl') && held.has('Shift'))) {
    return true;
  }
  return held.has('Ctrl') && held.size === 1 && /^(Enter|[1-4])$/.test(key);
}
