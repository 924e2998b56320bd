import { Desk, settle } from './support';

let desk: Desk;
beforeEach(() => {
  desk = new Desk();
  desk.files.set('a.txt', 'one');
});

test('what is typed is saved after a while, once', async () => {
  const file = await desk.open();
  desk.type(file, 'one t');
  desk.type(file, 'one two');
  expect([file.state, desk.clock.waiting]).toEqual(['unsaved', 1]);
  desk.clock.fire();
  await settle();
  expect([file.state, desk.files.get('a.txt'), desk.files.writes]).toEqual(['saved', 'one two', 1]);
});

test('opening writes nothing, and typing back to what was saved neither', async () => {
  const file = await desk.open();
  desk.type(file, 'one!');
  desk.type(file, 'one');
  desk.clock.fire();
  await settle();
  expect([file.state, desk.files.writes]).toEqual(['saved', 0]);
});

test('what is typed during a save is saved after it', async () => {
  const file = await desk.open();
  let open!: () => void;
  desk.files.gate = new Promise(resolve => (open = resolve));
  desk.type(file, 'two');
  desk.clock.fire();
  await settle();
  desk.type(file, 'three');
  open();
  await settle();
  expect(file.state).toBe('unsaved');
  desk.clock.fire();
  await settle();
  expect([file.state, desk.files.get('a.txt')]).toEqual(['saved', 'three']);
});

test('a clean file follows the disk, a deleted one keeps its text', async () => {
  const file = await desk.open();
  desk.files.set('a.txt', 'theirs');
  await file.changedOnDisk(desk.files.etag('a.txt'));
  expect([desk.buffer.getText(), file.state]).toEqual(['theirs', 'saved']);
  desk.files.set('a.txt', null);
  await file.changedOnDisk(null);
  expect(desk.buffer.getText()).toBe('theirs');
});

test('a deleted file that is typed in is made again', async () => {
  const file = await desk.open();
  desk.files.set('a.txt', null);
  await file.changedOnDisk(null);
  desk.type(file, 'again');
  await file.save();
  expect([file.state, desk.files.get('a.txt')]).toEqual(['saved', 'again']);
});

test.each(['mine', 'theirs'])('a conflict overwrites nothing until somebody chooses: %s', async choice => {
  const file = await desk.open();
  desk.type(file, 'mine');
  desk.files.set('a.txt', 'theirs');
  desk.clock.fire();
  await settle();
  expect([file.state, desk.files.get('a.txt'), desk.buffer.getText()]).toEqual([
    'conflict',
    'theirs',
    'mine'
  ]);
  await file.save();
  expect(desk.files.get('a.txt')).toBe('theirs');
  desk.clock.fire();
  await settle();
  expect([desk.files.get(file.copy.path), file.copy.path]).toEqual(['mine', 'a (conflict 1).txt']);
  await (choice === 'mine' ? file.keepMine() : file.takeTheirs());
  expect([file.state, desk.files.get('a.txt'), desk.buffer.getText()]).toEqual(['saved', choice, choice]);
  // the other text is in the one copy that is left
  expect(desk.files.paths).toEqual(['a.txt', file.copy.path].sort());
  expect(desk.files.get(file.copy.path)).toBe(choice === 'mine' ? 'theirs' : 'mine');
});

test('a file that goes on changing on disk during a conflict gets one copy of our text', async () => {
  const file = await desk.open();
  desk.type(file, 'mine');
  for (const theirs of ['', 'theirs', 'theirs again']) {
    desk.files.set('a.txt', theirs);
    await file.changedOnDisk(desk.files.etag('a.txt'));
    desk.clock.fire();
    await settle();
  }
  expect(desk.files.paths).toEqual(['a (conflict 1).txt', 'a.txt']);
  expect([file.state, desk.files.get(file.copy.path)]).toEqual(['conflict', 'mine']);
});

test('what is typed in a conflict is kept too, and no choice is made while it can’t be', async () => {
  const file = await desk.open();
  desk.type(file, 'mine');
  desk.files.set('a.txt', 'theirs');
  await file.save();
  desk.type(file, 'mine, and more');
  desk.clock.fire();
  await settle();
  expect(desk.files.get(file.copy.path)).toBe('mine, and more');
  desk.type(file, 'mine, and the rest');
  desk.files.isGone = true;
  await expect(file.takeTheirs()).rejects.toThrow('The server does not answer.');
  expect([file.state, desk.buffer.getText()]).toEqual(['conflict', 'mine, and the rest']);
  desk.files.isGone = false;
  await file.takeTheirs();
  expect([desk.buffer.getText(), desk.files.get(file.copy.path)]).toEqual(['theirs', 'mine, and the rest']);
});

test('a file that was deleted says so, unless it is only being replaced', async () => {
  const file = await desk.open();
  desk.files.set('a.txt', null);
  await file.changedOnDisk(null);
  desk.files.set('a.txt', 'replaced');
  desk.clock.fire();
  await settle();
  expect(file.state).toBe('saved');
  desk.files.set('a.txt', null);
  await file.changedOnDisk(null);
  desk.clock.fire();
  await settle();
  expect([file.state, desk.buffer.getText()]).toEqual(['deleted', 'one']);
  desk.type(file, 'one more');
  await file.save();
  expect([file.state, desk.files.get('a.txt')]).toEqual(['saved', 'one more']);
});

test('without auto-save only save saves, and leaving keeps a draft', async () => {
  const file = await desk.open();
  file.autoSave = false;
  desk.type(file, 'one two');
  desk.clock.fire();
  await settle();
  expect([file.state, desk.files.get('a.txt')]).toEqual(['unsaved', 'one']);
  file.keepDraft(true);
  expect([desk.files.last, desk.drafts.paths()]).toEqual([[], ['a.txt']]);
  await file.save();
  expect([file.state, desk.files.get('a.txt')]).toEqual(['saved', 'one two']);
});

test('a save that fails keeps a draft and says why; the next one brings it through', async () => {
  const file = await desk.open();
  desk.type(file, 'two');
  desk.files.isGone = true;
  await file.save();
  expect([file.state, file.error?.message]).toEqual(['failed', 'The server does not answer.']);
  expect(desk.drafts.get('a.txt')).not.toBeNull();
  desk.files.isGone = false;
  await file.reconnected();
  expect([file.state, desk.files.get('a.txt'), desk.drafts.get('a.txt')]).toEqual(['saved', 'two', null]);
});

test('the disk that has what the editor holds is not asked about, nor what was sent before', async () => {
  const file = await desk.open();
  desk.files.loseAnswers = 1;
  desk.type(file, 'two');
  await file.save();
  await file.changedOnDisk(desk.files.etag('a.txt'));
  expect([file.state, desk.files.writes]).toEqual(['saved', 1]);
  desk.files.loseAnswers = 1;
  desk.type(file, 'three');
  await file.save();
  desk.type(file, 'four');
  await file.changedOnDisk(desk.files.etag('a.txt'));
  await file.save();
  expect([file.state, desk.files.get('a.txt'), desk.files.paths]).toEqual(['saved', 'four', ['a.txt']]);
});
