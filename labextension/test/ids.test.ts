import { idProblem, NAME_COUNT, randomName } from '../src/model/ids';
import { applyDraft, makeDraft } from '../src/model/drafts';

test('random names keep the rule, and there are over ten million', () => {
  expect(NAME_COUNT).toBeGreaterThan(10_000_000);
  for (let index = 0; index < 1000; index++) {
    expect(idProblem(randomName())).toBeNull();
  }
});

test.each(['', '-a', 'a--b', 'A', 'a_b', 'a'.repeat(49)])('%j is no id', id => {
  expect(idProblem(id)).not.toBeNull();
});

test('a draft gives back the text', () => {
  const draft = makeDraft('e', 'hello world', 'hello brave world');
  expect(applyDraft(draft, 'hello world', 'e')).toEqual({ kind: 'apply', text: 'hello brave world' });
  expect(applyDraft(draft, 'hello brave world', 'f')).toEqual({ kind: 'done' });
  expect(applyDraft(draft, 'something else', 'f')).toMatchObject({ kind: 'conflict' });
});
