import { isOursInTerminal } from '../src/model/keys';

test.each(['Ctrl Enter', 'Shift F5', 'Ctrl Shift `', 'Ctrl 1', 'Ctrl 4', 'Cmd B', 'F2'])('ours: %s', key => {
  expect(isOursInTerminal(key)).toBe(true);
});

test.each(['Ctrl C', 'Ctrl S', 'Ctrl B', 'Ctrl J', 'Enter', 'Ctrl 5', 'Ctrl Alt 1', 'Alt F', 'A', 'Delete'])(
  'the program’s: %s',
  key => {
    expect(isOursInTerminal(key)).toBe(false);
  }
);
