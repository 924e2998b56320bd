import { ISynced, SyncModel } from '../src/model/synced';

const marks = (more: Partial<ISynced> = {}): ISynced => ({
  state: 'saved',
  when: 0,
  pending: 0,
  paths: [],
  reason: '',
  hint: '',
  uploaded: [],
  reports: [],
  leftOut: [],
  missing: [],
  restored: { files: 0, totalFiles: 0, bytes: 0, totalBytes: 0 },
  ...more
});

test('without sync nothing waits', () => {
  const model = new SyncModel();
  model.apply(null);
  model.waiting([['a', '1']]);
  expect(model.waiting([['a', '2']])).toEqual(new Set());
});

test('a file waits from its save until the store has that very version', () => {
  const model = new SyncModel();
  model.apply(marks());
  expect(model.waiting([['a', '1']])).toEqual(new Set());
  expect(model.waiting([['a', '2']])).toEqual(new Set(['a']));
  model.apply(marks({ uploaded: [{ path: 'a', etag: '1' }] }));
  expect(model.waiting([['a', '2']])).toEqual(new Set(['a']));
  model.apply(marks({ uploaded: [{ path: 'a', etag: '2' }] }));
  expect(model.waiting([['a', '2']])).toEqual(new Set());
  model.apply(marks());
  expect(model.waiting([['a', '2']])).toEqual(new Set());
});

test('what sync says waits', () => {
  const model = new SyncModel();
  model.apply(marks({ state: 'away', paths: ['made/by/shell'], pending: 1 }));
  expect(model.waiting([])).toEqual(new Set(['made/by/shell']));
});
