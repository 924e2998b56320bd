import { findLocations } from '../src/model/traceback';

const FOLDER = '/home/jovyan/my code/otter';
const found = (text: string): string[] =>
  findLocations(text, FOLDER).map(({ path, line, column }) => `${path} ${line}:${column}`);

test.each([
  [`  File "${FOLDER}/main.py", line 12, in <module>`, ['main.py 12:1']],
  [`  File "${FOLDER}/my src/größe.py", line 3`, ['my src/größe.py 3:1']],
  [`    at Object.<anonymous> (${FOLDER}/index.js:3:7)`, ['index.js 3:7']],
  [`    at file://${FOLDER.replace(' ', '%20')}/lib/a.mjs:10:5`, ['lib/a.mjs 10:5']],
  [`${FOLDER}/index.js:1`, ['index.js 1:1']],
  ['./src/app.py:7: warning', ['src/app.py 7:1']],
  ['src/app.ts:7:12 - error TS2345 and lib/b.ts:9', ['src/app.ts 7:12', 'lib/b.ts 9:1']],
  ['  File "<string>", line 1', []],
  ['  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode', []],
  ['    at node:internal/modules/cjs/loader:1105:14', []],
  ['listening on http://localhost:3000/index.html:80', []],
  ['12:30:45 done, 10.5:3', []],
  [`${FOLDER}/../secret.py:1`, []],
  [`${FOLDER}-other/a.py:1`, []]
])('%s', (text, places) => {
  expect(found(text)).toEqual(places);
});

test('a place is where it stands in the text', () => {
  const text = 'see src/app.py:7!';
  const [{ start, end }] = findLocations(text, FOLDER);
  expect(text.slice(start, end)).toBe('src/app.py:7');
});
