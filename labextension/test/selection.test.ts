import { isWithin, marked, nameProblem, parentOf, topmost } from '../src/model/paths';
import { Selection } from '../src/model/selection';

let names: string[];
let selection: Selection;

beforeEach(() => {
  names = ['a', 'b', 'c', 'd', 'e'];
  selection = new Selection({
    get count() {
      return names.length;
    },
    row: index => (names[index] ? { path: names[index] } : null),
    indexOf: path => names.indexOf(path)
  });
});

const click = (path: string, held = ''): void =>
  selection.click(path, { extend: held === 'shift', toggle: held === 'ctrl' });

test('a click selects one row, with Ctrl one more, with Shift all up to it', () => {
  click('b');
  expect(selection.paths).toEqual(['b']);
  click('d', 'ctrl');
  expect([selection.paths, selection.focused]).toEqual([['b', 'd'], 'd']);
  click('b', 'ctrl');
  expect(selection.paths).toEqual(['d']);
  click('c');
  click('e', 'shift');
  expect(selection.paths).toEqual(['c', 'd', 'e']);
  click('a', 'shift');
  expect(selection.paths).toEqual(['a', 'b', 'c']);
});

test('keys go from row to row and stop at the ends', () => {
  selection.only('d');
  selection.go(4, false);
  selection.go(5, false);
  expect(selection.paths).toEqual(['e']);
  selection.go(3, true);
  selection.go(2, true);
  expect([selection.paths, selection.focused]).toEqual([['c', 'd', 'e'], 'c']);
  selection.go(-1, false);
  expect(selection.paths).toEqual(['a']);
});

test('rows that are gone are selected no more', () => {
  selection.all();
  names = ['a', 'c'];
  selection.prune();
  expect(selection.paths).toEqual(['a', 'c']);
  selection.only('c');
  names = ['a'];
  selection.prune();
  expect([selection.paths, selection.focused]).toEqual([[], '']);
});

test('paths', () => {
  expect(parentOf('a/b/c')).toBe('a/b');
  expect(parentOf('a')).toBe('');
  expect(isWithin('a/b', 'a')).toBe(true);
  expect(isWithin('ab', 'a')).toBe(false);
  expect(topmost(['a', 'a/b', 'ab', 'c/d'])).toEqual(['a', 'ab', 'c/d']);
  expect(marked('src/main.test.py', 'copy')).toBe('src/main.test (copy).py');
  expect(marked('.env', 'copy')).toBe('.env (copy)');
});

test.each([
  ['main.py', null],
  ['src/new.py', null],
  ['  ', 'empty'],
  ['/abs', 'slash'],
  ['a//b', 'slash'],
  ['../x', 'dots'],
  ['ü'.repeat(128), 'too-long']
])('the name %j', (name, problem) => {
  expect(nameProblem(name)).toBe(problem);
});
