import { pasteable } from '../src/model/pasteable';

test.each([
  ['echo harmless\x1b[201~\ntouch injected', 'echo harmless[201~\ntouch injected'],
  ['a\x9b201~b', 'a201~b'],
  ['\x03\x04\x00\x7f\x85', ''],
  ['\tif x:\r\n  é 🦦\n', '\tif x:\r\n  é 🦦\n']
])('a text is pasted without what could end the paste: %j', (text, wanted) => {
  expect(pasteable(text)).toBe(wanted);
});
