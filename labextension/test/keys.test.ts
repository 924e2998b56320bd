import { clipboardAction, isOursInTerminal } from '../src/model/keys';

test.each(['Ctrl Enter', 'Shift F5', 'Ctrl Shift `', 'Ctrl 1', 'Ctrl 4', 'Cmd B', 'F2'])('ours: %s', key => {
  expect(isOursInTerminal(key)).toBe(true);
});

test.each(['Ctrl C', 'Ctrl S', 'Ctrl B', 'Ctrl J', 'Enter', 'Ctrl 5', 'Ctrl Alt 1', 'Alt F', 'A', 'Delete'])(
  'the program’s: %s',
  key => {
    expect(isOursInTerminal(key)).toBe(false);
  }
);

const [C, V] = [67, 86];
const press = (keyCode: number, held: object): Parameters<typeof clipboardAction>[0] => ({
  ...{ type: 'keydown', keyCode, ctrlKey: true, shiftKey: false, altKey: false, metaKey: false },
  ...held
});
const PC = { isMac: false, hasSelection: false, pasteWithCtrlV: true };

test.each([
  ['Ctrl+C where nothing is selected interrupts', C, {}, {}, null],
  ['Ctrl+C copies what is selected', C, {}, { hasSelection: true }, 'copy'],
  ['Ctrl+C interrupts on a Mac', C, {}, { hasSelection: true, isMac: true }, null],
  ['Cmd+C is the browser’s', C, { ctrlKey: false, metaKey: true }, { hasSelection: true, isMac: true }, null],
  ['Ctrl+Shift+C never interrupts', C, { shiftKey: true }, {}, 'copy'],
  ['Ctrl+V pastes', V, {}, {}, 'paste'],
  ['Ctrl+V is the program’s if one wants that', V, {}, { pasteWithCtrlV: false }, null],
  ['Ctrl+V is the program’s on a Mac', V, {}, { isMac: true }, null],
  ['Ctrl+Shift+V pastes always', V, { shiftKey: true }, { pasteWithCtrlV: false }, 'paste'],
  ['Ctrl+Alt+V is the program’s', V, { altKey: true }, {}, null],
  ['a key that is let go means nothing', V, { type: 'keyup' }, {}, null]
])('%s', (_, code, held, where, wanted) => {
  expect(clipboardAction(press(code, held), { ...PC, ...where })).toBe(wanted);
});
