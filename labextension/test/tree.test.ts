import { IEntry, ReplError } from '../src/model/messages';
import { IRow, PAGE, TreeModel } from '../src/model/tree';
import { settle } from './support';

let disk: Record<string, IEntry[]>;
let fetched: string[];
let isGone: boolean;
let tree: TreeModel;
const entry = (type: 'file' | 'dir', path: string): IEntry => ({ type, path, name: path.split('/').pop()! });
const page = (path: string, offset = 0): { content: IEntry[]; total: number } => ({
  content: disk[path].slice(offset, offset + PAGE),
  total: disk[path].length
});

beforeEach(async () => {
  disk = {
    '': [entry('dir', 'a'), entry('file', 'x.py')],
    a: [entry('dir', 'a/b'), entry('file', 'a/y.py')],
    'a/b': []
  };
  fetched = [];
  isGone = false;
  tree = new TreeModel((path, offset) => {
    fetched.push(offset ? `${path}+${offset}` : path);
    if (isGone) {
      return Promise.reject(new ReplError('Unavailable', 'gone'));
    }
    return disk[path]
      ? Promise.resolve(page(path, offset))
      : Promise.reject(new ReplError('FileNotFound', 'none'));
  });
  await tree.load(page(''));
});

const rows = (): (IRow | null)[] => Array.from({ length: tree.count }, (_, index) => tree.row(index));
const paths = (): string[] => rows().map(row => row?.path ?? '…');

test('folders are read when they are opened', async () => {
  expect([paths(), fetched]).toEqual([['a', 'x.py'], []]);
  await tree.expand('a');
  expect([paths(), fetched]).toEqual([['a', 'a/b', 'a/y.py', 'x.py'], ['a']]);
  expect(rows().map(row => row?.depth)).toEqual([0, 1, 1, 0]);
  tree.collapse('a');
  expect(paths()).toEqual(['a', 'x.py']);
});

test('every row is found by its path', async () => {
  await tree.expand('a');
  await tree.expand('a/b');
  expect(paths().map(path => tree.indexOf(path))).toEqual([0, 1, 2, 3]);
  expect(tree.indexOf('none')).toBe(-1);
  tree.collapse('a');
  expect(tree.indexOf('a/b')).toBe(-1);
});

test('only folders that are shown follow the disk', async () => {
  await tree.apply({ dirs: ['a'] });
  expect(fetched).toEqual([]);
  await tree.expand('a');
  disk.a = [entry('file', 'a/new.py')];
  await tree.apply({ dirs: ['a', 'elsewhere'] });
  expect(paths()).toEqual(['a', 'a/new.py', 'x.py']);
});

test('a storm reads everything that is shown, once', async () => {
  await tree.expand('a');
  fetched = [];
  await tree.apply({ all: true });
  expect(fetched.sort()).toEqual(['', 'a']);
});

test('of many changes at once a folder is read twice at most', async () => {
  fetched = [];
  await Promise.all(Array.from({ length: 50 }, () => tree.apply({ dirs: [''] })));
  expect(fetched).toEqual(['', '']);
});

test('an open folder that was deleted is closed', async () => {
  await tree.expand('a');
  delete disk.a;
  disk[''] = [entry('file', 'x.py')];
  await tree.apply({ dirs: ['', 'a'] });
  expect([paths(), tree.expanded]).toEqual([['x.py'], []]);
});

test('while nobody answers the tree stays as it was', async () => {
  await tree.expand('a');
  isGone = true;
  await tree.apply({ all: true });
  expect(paths()).toEqual(['a', 'a/b', 'a/y.py', 'x.py']);
});

describe('with 50,000 files', () => {
  beforeEach(async () => {
    disk.a = Array.from({ length: 50_000 }, (_, index) =>
      entry('file', `a/${String(index).padStart(5, '0')}`)
    );
    fetched = [];
    await tree.expand('a');
  });

  test('one page is read, and the rest is null until it is looked at', async () => {
    expect([tree.count, fetched]).toEqual([50_002, ['a']]);
    expect(tree.row(30_001)).toBeNull();
    tree.look(30_000, 30_040);
    tree.look(30_001, 30_041);
    await settle();
    expect(fetched).toEqual(['a', 'a+29500', 'a+30000']);
    expect(tree.row(30_001)?.name).toBe('30000');
    expect(tree.indexOf('a/30000')).toBe(30_001);
    expect(tree.row(50_001)?.path).toBe('x.py');
  });

  test('a change reads again what is looked at, and no more', async () => {
    tree.look(30_100, 30_140);
    await settle();
    fetched = [];
    disk.a = disk.a.slice(1);
    await tree.apply({ dirs: ['a'] });
    expect(fetched.sort()).toEqual(['a', 'a+30000']);
    expect([tree.count, tree.row(30_101)?.name]).toEqual([50_001, '30101']);
  });
});

test('a path is revealed with the folders around it', async () => {
  disk['a/b'] = [entry('file', 'a/b/deep.py')];
  expect(await tree.reveal('a/b/deep.py')).toBe(2);
  expect(tree.row(2)).toMatchObject({ path: 'a/b/deep.py', depth: 2 });
  expect(await tree.reveal('a/none.py')).toBe(-1);
});

test('what is new in new folders is found by its path', async () => {
  disk[''].push(entry('dir', 'q'));
  disk.q = [entry('dir', 'q/w')];
  disk['q/w'] = [entry('file', 'q/w/e.py')];
  const row = await tree.reveal('q/w/e.py');
  expect(tree.row(row)?.path).toBe('q/w/e.py');
});
