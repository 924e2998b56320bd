import type { IEntry } from '../src/model/messages';
import { TreeModel } from '../src/model/tree';

let disk: Record<string, IEntry[]>;
let fetched: string[];
let tree: TreeModel;
const entry = (type: 'file' | 'dir', path: string): IEntry => ({ type, path, name: path.split('/').pop()! });

beforeEach(async () => {
  disk = {
    '': [entry('dir', 'a'), entry('file', 'x.py')],
    a: [entry('dir', 'a/b'), entry('file', 'a/y.py')],
    'a/b': []
  };
  fetched = [];
  tree = new TreeModel(path => {
    fetched.push(path);
    return disk[path] ? Promise.resolve(disk[path]) : Promise.reject(new Error('gone'));
  });
  await tree.load(disk['']);
});

const paths = (): string[] => tree.rows().map(row => row.path);

test('folders are read when they are opened', async () => {
  expect([paths(), fetched]).toEqual([['a', 'x.py'], []]);
  await tree.toggle('a');
  expect([paths(), fetched]).toEqual([['a', 'a/b', 'a/y.py', 'x.py'], ['a']]);
  await tree.toggle('a');
  expect(paths()).toEqual(['a', 'x.py']);
});

test('only folders that are shown follow the disk', async () => {
  await tree.apply({ dirs: ['a'] });
  expect(fetched).toEqual([]);
  await tree.toggle('a');
  disk.a = [entry('file', 'a/new.py')];
  await tree.apply({ dirs: ['a', 'elsewhere'] });
  expect(paths()).toEqual(['a', 'a/new.py', 'x.py']);
});

test('a storm reads everything that is shown, once', async () => {
  await tree.toggle('a');
  fetched = [];
  await tree.apply({ all: true });
  expect(fetched.sort()).toEqual(['', 'a']);
});

test('an open folder that was deleted is closed', async () => {
  await tree.toggle('a');
  delete disk.a;
  disk[''] = [entry('file', 'x.py')];
  await tree.apply({ dirs: ['', 'a'] });
  expect([paths(), tree.expanded]).toEqual([['x.py'], []]);
});
