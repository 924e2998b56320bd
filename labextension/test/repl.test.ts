import { Signal } from '@lumino/signaling';
import { ILoaded, ReplError } from '../src/model/messages';
import { IConnection, IPhase, IReplApi, ReplModel } from '../src/model/repl';
import { settle } from './support';

class FakeConnection implements IConnection {
  constructor(runner: string) {
    this.loaded = { runner } as ILoaded;
  }

  readonly loaded: ILoaded;
  readonly closed = new Promise<number>(resolve => (this.close = (code = 1006) => resolve(code)));
  readonly slow = new Signal<this, number>(this);
  declare close: (code?: number) => void;
}

const NOBODY = new ReplError('Unavailable', 'The server does not answer.');

class FakeApi implements IReplApi {
  phases: IPhase[] = [{ name: 'running' }];
  current: IPhase | ReplError = { name: 'running' };
  starts = 0;
  connections: FakeConnection[] = [];
  runner = 'one';

  start(): Promise<IPhase> {
    this.starts++;
    this.current = { name: 'running' };
    return Promise.resolve({ name: 'starting', step: 'Starting' });
  }

  discards: boolean[] = [];

  stop(discard: boolean): Promise<IPhase> {
    this.discards.push(discard);
    this.phases = [{ name: 'stopped' }];
    return Promise.resolve({ name: 'stopping' });
  }

  phase(): Promise<IPhase> {
    return this.current instanceof ReplError ? Promise.reject(this.current) : Promise.resolve(this.current);
  }

  follow(tell: (phase: IPhase) => void): Promise<IPhase> {
    this.phases.forEach(tell);
    return Promise.resolve(this.phases.at(-1)!);
  }

  connect(): Promise<IConnection> {
    this.connections.push(new FakeConnection(this.runner));
    return Promise.resolve(this.connections.at(-1)!);
  }
}

let api: FakeApi;
let naps: (() => void)[];
let model: ReplModel;
beforeEach(async () => {
  api = new FakeApi();
  naps = [];
  model = new ReplModel(api, () => new Promise(resolve => naps.push(resolve)));
  await model.start();
});

test('it starts and connects', () => {
  expect([model.state.kind, model.notice]).toEqual(['running', 'none']);
});

test('a server that was restarted starts it again, and says so', async () => {
  api.current = NOBODY;
  api.connections[0].close();
  await settle();
  expect(model.state.kind).toBe('lost');
  api.current = { name: 'stopped', cause: 'server-gone' };
  naps.pop()!();
  await settle();
  expect([model.state.kind, model.notice, api.starts]).toEqual(['running', 'restarted', 2]);
});

test('another runner in its place is told, with the reason of the spawner', async () => {
  api.current = { name: 'running', reason: 'Your programs ran out of memory.' };
  api.runner = 'another';
  api.connections[0].close();
  await settle();
  expect([model.state.kind, model.notice, model.reason]).toEqual([
    'running',
    'replaced',
    'Your programs ran out of memory.'
  ]);
  model.dismissNotice();
  api.connections[1].close();
  await settle();
  expect([model.state.kind, model.notice]).toEqual(['running', 'none']);
});

test('a connection that broke alone is made again without a start', async () => {
  api.connections[0].close();
  await settle();
  expect([model.state.kind, model.notice, api.starts, api.connections.length]).toEqual([
    'running',
    'none',
    1,
    2
  ]);
});

test('a service that restarts is found again at once', async () => {
  api.connections[0].close(1012);
  await settle();
  expect([model.state.kind, naps.length, api.connections.length]).toEqual(['running', 0, 2]);
});

test('who may no longer use it is told to log in', async () => {
  api.current = new ReplError('NoPermissions', 'Forbidden', '', 403);
  api.connections[0].close(4401);
  await settle();
  expect(model.state).toMatchObject({ kind: 'failed', error: { code: 'NoPermissions', status: 403 } });
  expect((model.state as { error: ReplError }).error.hint).toMatch(/log in again/);
});

test('a proxy that does not know the way is asked again for 90 s, then its error is shown', async () => {
  api.current = new ReplError('NotRouted', 'The server can’t be reached (404).', '', 404);
  api.connections[0].close();
  await settle();
  let waits = 0;
  while (model.state.kind === 'lost' && waits < 100) {
    naps.pop()!();
    waits++;
    await settle();
  }
  expect(model.state.kind).toBe('failed');
  expect(waits).toBeGreaterThan(40); // at most 2 s each
});

test('a runner that died is said, and is not started behind the back', async () => {
  api.current = {
    name: 'failed',
    cause: 'runner-gone',
    reason: 'The runner was killed.',
    hint: 'Start it again.'
  };
  api.connections[0].close();
  await settle();
  expect(model.state).toMatchObject({ kind: 'failed', error: { message: 'The runner was killed.' } });
  expect(api.starts).toBe(1);
  api.phases = [{ name: 'running' }];
  await model.start();
  expect(model.state.kind).toBe('running');
});

test('a REPL that somebody stopped stays stopped', async () => {
  await model.stop();
  expect(model.state.kind).toBe('stopped');
  expect(api.starts).toBe(1);
});

test('a stop that is refused leaves it running, and says why', async () => {
  api.follow = () => Promise.resolve({ name: 'running', reason: 'Not all is saved.', hint: 'Try later.' });
  await model.stop();
  expect([model.state.kind, model.notice, model.reason]).toEqual([
    'running',
    'kept',
    'Not all is saved. Try later.'
  ]);
  expect(api.connections.length).toBe(2);
  api.follow = () => Promise.resolve({ name: 'stopped', cause: 'unsaved', reason: 'Not saved: a.bin.' });
  await model.stop(true);
  expect(api.discards).toEqual([false, true]);
  expect(model.state).toMatchObject({ kind: 'stopped', warning: 'Not saved: a.bin.' });
});

test('a server that does not answer is told, until it does', () => {
  const seen: number[] = [];
  model.stateChanged.connect(() => seen.push(model.silence));
  api.connections[0].slow.emit(4);
  api.connections[0].slow.emit(5);
  api.connections[0].slow.emit(0);
  expect(seen).toEqual([4, 5, 0]);
});

test('a project that is gone is an error, not an endless search', async () => {
  api.current = new ReplError('FileNotFound', 'There is no REPL abc.', '', 404);
  api.connections[0].close();
  await settle();
  expect(model.state).toMatchObject({ kind: 'failed', error: { code: 'FileNotFound' } });
});

test('what an action that was overtaken still brings is ignored', async () => {
  let answer!: (phase: IPhase) => void;
  api.follow = () => new Promise(resolve => (answer = resolve));
  const first = model.start();
  await settle();
  api.follow = () => Promise.resolve({ name: 'stopped' });
  await model.stop();
  answer({ name: 'running' });
  await first;
  expect([model.state.kind, api.connections.length]).toEqual(['stopped', 1]);
});
