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

/** As the layout of the keyboard has them, whatever its script. */
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
 * What a key in a terminal means for the clipboard; null: it is the program's.
 *
 * Ctrl+C copies what is selected, and interrupts where nothing is. Ctrl+V pastes. With Shift they always do. On a Mac
 * these are Cmd+C and Cmd+V, which the browser knows, and Ctrl belongs to the program.
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
