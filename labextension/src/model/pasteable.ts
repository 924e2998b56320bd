/**
 * What may be pasted into a terminal: a text without control characters, but tab and line ends.
 *
 * Programs recognise pasted text by the sequence that xterm puts around it. A text that holds the end of that
 * sequence could go on as if it were typed, and run what nobody has read.
 */
export function pasteable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it is about
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '');
}
