/** Unsaved text of a file: when it is kept in the browser, and what the next page does with it. */

import { FileModel } from '../src/model/file';
import { Desk, settle } from './support';

let desk: Desk;
beforeEach(() => {
  desk = new Desk();
  desk.files.set('a.txt', 'one');
});

test('leaving the page keeps a draft, which the next page replays and saves', async () => {
  const file = await desk.open();
  desk.type(file, 'one two');
  file.keepDraft(true);
  expect(desk.files.last).toEqual(['one two']);
  const again = await desk.open();
  expect([desk.buffer.getText(), again.state]).toEqual(['one two', 'unsaved']);
  await again.save();
  expect([desk.files.get('a.txt'), desk.drafts.paths()]).toEqual(['one two', []]);
});

test('leaving the page while a save is on its way loses nothing either', async () => {
  const file = await desk.open();
  desk.type(file, 'one two');
  let open!: () => void;
  desk.files.gate = new Promise(resolve => (open = resolve));
  desk.clock.fire();
  await settle();
  desk.type(file, 'one two three');
  file.keepDraft(true);
  file.dispose();
  open();
  await settle();
  expect(desk.files.get('a.txt')).toBe('one two');
  const again = await desk.open();
  expect(desk.buffer.getText()).toBe('one two three');
  await again.save();
  expect(desk.files.get('a.txt')).toBe('one two three');
});

test('leaving makes no draft again that is kept already, unless another tab has deleted it', async () => {
  const file = await desk.open();
  const set = jest.spyOn(desk.storage, 'setItem');
  desk.type(file, 'one two');
  file.keepDraft(false);
  file.keepDraft(true);
  expect(set).toHaveBeenCalledTimes(1);
  desk.drafts.delete('a.txt');
  file.keepDraft(true);
  expect(desk.drafts.paths()).toEqual(['a.txt']);
  desk.type(file, 'one');
  expect(desk.drafts.paths()).toEqual([]);
  desk.type(file, 'one two');
  file.keepDraft(true);
  expect(desk.drafts.paths()).toEqual(['a.txt']);
});

test('a draft that fits no longer is shown, not applied', async () => {
  const file = await desk.open();
  desk.type(file, 'one two');
  file.keepDraft(false);
  desk.files.set('a.txt', 'quite another text');
  const again = await desk.open();
  expect([desk.buffer.getText(), again.draft.lost]).toEqual(['quite another text', ' two']);
  again.draft.dropLost();
  expect(desk.drafts.paths()).toEqual([]);
});

test.each(['one two', 'one two, and more'])(
  'a save that has arrived without an answer is no other version: %s',
  async now => {
    const file = await desk.open();
    desk.files.loseAnswers = 1;
    desk.type(file, 'one two');
    desk.clock.fire();
    await settle();
    expect([file.state, desk.files.get('a.txt')]).toEqual(['failed', 'one two']);
    desk.type(file, now);
    await file.reconnected();
    await settle();
    expect([file.state, desk.files.get('a.txt'), file.copy.path]).toEqual(['saved', now, '']);
    expect(desk.files.paths).toEqual(['a.txt']);
  }
);

test('what does not save by itself is kept as a draft a second after the last key', async () => {
  const file = await desk.open();
  file.autoSave = false;
  desk.type(file, 'one t');
  expect(desk.drafts.paths()).toEqual([]);
  desk.type(file, 'one two');
  expect(desk.clock.waiting).toBe(1);
  desk.clock.fire();
  expect([file.state, desk.files.writes, desk.drafts.paths()]).toEqual(['unsaved', 0, ['a.txt']]);
  const again = new FileModel('a.txt', desk.files, desk.drafts, desk.clock.later);
  expect(await again.load()).toBe('one two');
  desk.type(file, 'one'); // as it was saved
  expect([file.state, desk.drafts.paths()]).toEqual(['saved', []]);
});

test('typing while a save fails keeps a draft of all of it', async () => {
  const file = await desk.open();
  desk.files.isGone = true;
  desk.type(file, 'one two');
  desk.clock.fire();
  await settle();
  desk.type(file, 'one two three');
  desk.clock.fire();
  const again = new FileModel('a.txt', desk.files, desk.drafts, desk.clock.later);
  desk.files.isGone = false;
  expect(await again.load()).toBe('one two three');
});

test('a browser without room for a draft says so, until the text is saved', async () => {
  const file = await desk.open();
  const states: boolean[] = [];
  file.stateChanged.connect(() => states.push(file.draft.hasNoRoom));
  file.autoSave = false;
  desk.storage.isFull = true;
  desk.type(file, 'one two');
  desk.clock.fire();
  expect([file.draft.hasNoRoom, states.at(-1)]).toEqual([true, true]);
  await file.save();
  expect([file.state, file.draft.hasNoRoom]).toEqual(['saved', false]);
});
