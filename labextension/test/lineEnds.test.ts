import { DiskText, isMixed } from '../src/model/lineEnds';

const MIXED = 'one\r\ntwo\nthree\rfour\r\nfive';

/** As an editor shows it. */
const shown = (text: string, end = '\n'): string => text.replace(/\r\n|\r|\n/g, end);

function keep(before: string, text: string): string {
  const disk = new DiskText();
  disk.text = before;
  return disk.of(text);
}

test.each([
  ['nothing', 'nothing', MIXED],
  ['two', '2', 'one\r\n2\nthree\rfour\r\nfive'],
  ['three', 'thr\nee', 'one\r\ntwo\nthr\nee\rfour\r\nfive'],
  ['one\n', '', 'two\nthree\rfour\r\nfive'],
  ['\nfive', '', 'one\r\ntwo\nthree\rfour'],
  ['five', 'five\n', 'one\r\ntwo\nthree\rfour\r\nfive\n'],
  ['two\nthree', 'both', 'one\r\nboth\rfour\r\nfive']
])('of edited lines alone: %j becomes %j', (from, to, expected) => {
  expect(keep(MIXED, shown(MIXED).replace(from, to))).toBe(expected);
});

test('new lines have the editor’s kind', () => {
  expect(keep('a\r\nb\r\nc\n', 'a\r\nnew\r\nb\r\nc\r\n')).toBe('a\r\nnew\r\nb\r\nc\n');
});

test('edits in several places', () => {
  const before = 'a\nb\nc\r\nd\ne\n';
  expect(keep(before, shown('x\na\nb\nc\nd\ny\ne\n', '\r\n'))).toBe('x\r\na\nb\nc\r\nd\ny\r\ne\n');
  expect(keep(before, shown('x\na\nb\nc\nd\n', '\r\n'))).toBe('x\r\na\nb\nc\r\nd\n');
});

test.each(['', 'one', 'a\nb\n', 'a\r\nb\r\n', 'a\rb\r'])('%j has one kind', text => {
  expect(isMixed(text)).toBe(false);
  expect(keep(text, 'x\ny')).toBe('x\ny');
});
