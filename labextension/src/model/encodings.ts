/** Decodes bytes to text without loss: encoding the text again gives the same bytes. */

export type Encoding = 'UTF-8' | 'Latin-1';

/** Control characters that texts hold: tab, line ends, form feed, escape. */
const USUAL: ReadonlySet<number> = new Set([9, 10, 11, 12, 13, 27]);

/** Returns null if the bytes are not text. A byte order mark stays in the text as a character. */
export function decode(bytes: Uint8Array): { text: string; encoding: Encoding } | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? null : { text, encoding: 'UTF-8' };
  } catch {
    // In Latin-1 every byte is a character, so only control characters show that it is not text.
    if (bytes.some(byte => (byte < 32 && !USUAL.has(byte)) || (byte >= 0x7f && byte < 0xa0))) {
      return null;
    }
    return { text: Array.from(bytes, byte => String.fromCharCode(byte)).join(''), encoding: 'Latin-1' };
  }
}

/** Returns null if the text has a character that is not in Latin-1. */
export function encodeLatin1(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0xff) {
      return null;
    }
    bytes[index] = unit;
  }
  return bytes;
}
