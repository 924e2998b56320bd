/**
 * Removes control characters, except tab and line ends, from a text that is to be pasted into a terminal.
 *
 * xterm puts one escape sequence before pasted text and another one after it, so that programs can tell it from typed
 * text. A pasted text that contains the closing sequence could continue as typed text, and run commands that nobody
 * has read.
 */
export function pasteable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters to remove
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '');
}
