import { idProblem, NAME_COUNT, randomName } from '../src/model/ids';

test('random names keep the rule, and there are over ten million', () => {
  expect(NAME_COUNT).toBeGreaterThan(10_000_000);
  for (let index = 0; index < 1000; index++) {
    expect(idProblem(randomName())).toBeNull();
  }
});

test.each(['', '-a', 'a--b', 'A', 'a_b', 'a'.repeat(49)])('%j is no id', id => {
  expect(idProblem(id)).not.toBeNull();
});
