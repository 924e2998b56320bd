import { decode, encodeLatin1 } from '../src/model/encodings';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('UTF-8 is UTF-8, with its mark', () => {
  expect(decode(new TextEncoder().encode('\ufeffLöffel 🦦\r\n'))).toEqual({
    text: '\ufeffLöffel 🦦\r\n',
    encoding: 'UTF-8'
  });
});

test('what is no UTF-8 but text is Latin-1, and comes back byte for byte', () => {
  const raw = Uint8Array.from(
    [...Array(256).keys()].filter(byte => byte > 0x9f || (byte > 31 && byte < 0x7f))
  );
  const decoded = decode(raw);
  expect(decoded?.encoding).toBe('Latin-1');
  expect(encodeLatin1(decoded!.text)).toEqual(raw);
  expect(decode(bytes(0x4c, 0xf6, 0x0a))?.text).toBe('Lö\n');
});

test('binary is no text', () => {
  expect(decode(bytes(0x61, 0, 0x62))).toBeNull();
  expect(decode(bytes(0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10))).toBeNull();
  expect(decode(bytes(0xf6, 0x07))).toBeNull();
});

test('a character that Latin-1 has not', () => {
  expect(encodeLatin1('5 €')).toBeNull();
});
