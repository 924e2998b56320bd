/** Decides which keys in a terminal are our shortcuts. All other keys go to the program in it. */

/** @param keystroke - as Lumino writes it, for example `Ctrl Shift C` */
export function isOursInTerminal(keystroke: string): boolean {
  const keys = keystroke.split(' ');
  const key = keys.pop()!;
  const held = new Set(keys);
  if (held.has('Cmd')) {
    return true; // no program in a terminal receives Cmd
  }
  if (/^F\d+$/.test(key) || (held.has('Ctrl') && held.has('Shift'))) {
    return true;
  }
  return held.has('Ctrl') && held.size === 1 && /^(Enter|[1-4])$/.test(key);
}

/** The key codes of C and V, which are the same on keyboards of other scripts. */
const [C, V] = [67, 86];

export interface IKey {
  type: string;
  keyCode: number;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/**
 * What a key in a terminal does with the clipboard; null if the key goes to the program.
 *
 * Ctrl+C copies the selection; if nothing is selected, it interrupts the program. Ctrl+V pastes. Ctrl+Shift+C and
 * Ctrl+Shift+V always copy and paste. On a Mac the browser handles Cmd+C and Cmd+V, and Ctrl belongs to the program.
 */
export function clipboardAction(
  key: IKey,
  { isMac, hasSelection, pasteWithCtrlV }: { isMac: boolean; hasSelection: boolean; pasteWithCtrlV: boolean }
): 'copy' | 'paste' | null {
  if (key.type !== 'keydown' || !key.ctrlKey || key.altKey || key.metaKey) {
    return null;
  }
  if (key.keyCode === C && (key.shiftKey || (hasSelection && !isMac))) {
    return 'copy';
  }
  if (key.keyCode === V && (key.shiftKey || (pasteWithCtrlV && !isMac))) {
    return 'paste';
  }
  return null;
}
