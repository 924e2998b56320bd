import { applyChange, applyDraft, Drafts, makeChange, makeDraft } from '../src/model/drafts';
import { MemoryStorage } from './support';

test.each([
  ['', 'a'],
  ['a', ''],
  ['hello world', 'hello brave world'],
  ['aaa', 'aa'],
  ['abab', 'ab'],
  ['🦦', '🦥'],
  ['same', 'same']
])('a draft turns %j into %j', (saved, text) => {
  const draft = makeDraft('e', saved, text);
  expect(applyDraft(draft, saved, 'e')).toEqual({ kind: 'apply', text });
  expect(applyDraft(draft, text, 'f')).toEqual({ kind: 'done' });
});

test('a draft of a file that is another one by now is a conflict, with what was typed', () => {
  const draft = makeDraft('e', 'hello world', 'hello brave world');
  expect(applyDraft(draft, 'something else', 'f')).toEqual({ kind: 'conflict', inserted: 'brave ' });
});

test('a draft made while a save was under way fits whichever way that ended', () => {
  const draft = makeDraft('e', 'one', 'one two three', 'one two');
  expect(applyDraft(draft, 'one', 'e')).toEqual({ kind: 'apply', text: 'one two three' });
  expect(applyDraft(draft, 'one two', 'f')).toEqual({ kind: 'apply', text: 'one two three' });
  expect(applyDraft(draft, 'one two three', 'g')).toEqual({ kind: 'done' });
});

test('a draft of a large text is compared with what was sent, since it has no fingerprint of its own', () => {
  const saved = 'x'.repeat(200_000);
  const [sent, text] = [`a${saved}`, `ab${saved}`];
  const draft = makeDraft('e', saved, text, sent);
  expect(draft.result).toBe('');
  expect(applyDraft(draft, saved, 'e')).toEqual({ kind: 'apply', text });
  expect(applyDraft(draft, sent, 'f')).toEqual({ kind: 'apply', text });
  expect(applyDraft(makeDraft('e', saved, sent, sent), sent, 'f')).toEqual({ kind: 'done' });
  expect(applyDraft(draft, 'x', 'g')).toEqual({ kind: 'conflict', inserted: 'ab' });
});

test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 199_999])('a change at %d of a large text is found', at => {
  const text = Array.from({ length: 200_000 }, (_, index) => 'abcdefghij'[(index * 7) % 10]).join('');
  for (const changed of [
    text.slice(0, at) + '!' + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.slice(0, at) + '!' + text.slice(at + 1)
  ]) {
    const change = makeChange(text, changed);
    expect(change.removed + change.inserted.length).toBeLessThan(3);
    expect(applyChange(text, change)).toBe(changed);
  }
});

test('drafts belong to one REPL and one path', () => {
  const storage = new MemoryStorage();
  const [mine, other] = [new Drafts(storage, 'mine'), new Drafts(storage, 'other')];
  const draft = makeDraft('e', 'a', 'b');
  expect(mine.set('x.py', draft)).toBe(true);
  expect(other.get('x.py')).toBeNull();
  expect(mine.get('x.py')).toEqual({ ...draft, kept: expect.any(Number) });
  expect(mine.paths()).toEqual(['x.py']);
  mine.delete('x.py');
  expect(mine.paths()).toEqual([]);
});

test('a full or a spoilt storage is no error', () => {
  const storage = new MemoryStorage();
  const drafts = new Drafts(storage, 'r');
  storage.setItem('jupyter-repl:draft:r:x', '{nonsense');
  expect(drafts.get('x')).toBeNull();
  storage.setItem('jupyter-repl:draft:r:y', '{"etag":"of an older version"}');
  expect(drafts.get('y')).toBeNull();
  storage.isFull = true;
  expect(drafts.set('x', makeDraft('e', 'a', 'b'))).toBe(false);
});

test('where the storage is full, drafts that nobody has come back for make room', () => {
  const storage = new MemoryStorage();
  const [mine, other] = [new Drafts(storage, 'mine'), new Drafts(storage, 'other')];
  const day = 24 * 3600 * 1000;
  const draft = makeDraft('e', 'a', 'b');
  other.set('old', draft, 0);
  other.set('young', draft, 39 * day);
  storage.capacity = storage.length;
  expect(mine.set('new', draft, 40 * day)).toBe(true);
  expect([mine.paths(), other.paths()]).toEqual([['new'], ['young']]);
  expect(mine.set('newer', draft, 40 * day)).toBe(false);
  other.clear();
  expect(mine.set('newer', draft, 40 * day)).toBe(true);
  expect(mine.paths()).toEqual(['new', 'newer']);
});
