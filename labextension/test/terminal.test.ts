import { IFrame, Kind, unpackFrame } from '../src/model/frames';
import { ACK_BYTES, MAX_UNACKNOWLEDGED, TerminalModel } from '../src/model/terminal';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const reply = (more = {}): { terminal: number; offset: number; start: number; input: number } => ({
  terminal: 1,
  offset: 0,
  start: 0,
  input: 0,
  ...more
});

let sent: IFrame[];
let model: TerminalModel;
let pass: () => void;
const typed = (): string =>
  sent.map(({ kind, payload }) => (kind === Kind.Input ? new TextDecoder().decode(payload) : '')).join('');

beforeEach(() => {
  sent = [];
  pass = () => undefined;
  model = new TerminalModel(
    'me',
    frame => sent.push(unpackFrame(frame.buffer)!),
    call => {
      pass = call;
      return () => (pass = () => undefined);
    }
  );
});

test('what is typed before the terminal is there waits for it', () => {
  model.type(bytes('ls'));
  expect(sent).toEqual([]);
});

test('input is counted, and sent again from where the runner says after a cut', () => {
  model.attached(reply(), 'r');
  model.type(bytes('hello'));
  model.acknowledged(2);
  model.detached();
  model.type(bytes(' world'));
  sent = [];
  model.attached(reply({ input: 4 }), 'r');
  expect([typed(), sent[0].offset, model.pending]).toEqual(['o world', 4, 7]);
});

test('at most the window is unacknowledged; the rest follows the acknowledgements', () => {
  model.attached(reply(), 'r');
  model.type(new Uint8Array(MAX_UNACKNOWLEDGED + 1000));
  expect(typed().length).toBe(MAX_UNACKNOWLEDGED);
  model.acknowledged(500);
  expect(typed().length).toBe(MAX_UNACKNOWLEDGED + 500);
  model.acknowledged(MAX_UNACKNOWLEDGED);
  expect(typed().length).toBe(MAX_UNACKNOWLEDGED + 1000);
});

test('an interrupt drops what waits and counts it', () => {
  model.attached(reply(), 'r');
  model.type(new Uint8Array(MAX_UNACKNOWLEDGED + 1000));
  model.interrupt();
  expect(sent.at(-1)).toMatchObject({ kind: Kind.Interrupt, offset: MAX_UNACKNOWLEDGED + 1000 });
  expect(model.pending).toBe(0);
  model.type(bytes('x'));
  expect(sent.at(-1)).toMatchObject({ kind: Kind.Input, offset: MAX_UNACKNOWLEDGED + 1000 });
});

test('output that comes twice is taken once, and a gap is told', () => {
  const output = (offset: number, text: string): IFrame => ({
    kind: Kind.Output,
    terminal: 1,
    offset,
    payload: bytes(text)
  });
  model.attached(reply({ offset: 10 }), 'r');
  expect(model.output(output(10, 'abc')).data).toEqual(bytes('abc'));
  expect(model.output(output(11, 'bcd')).data).toEqual(bytes('d'));
  expect(model.output(output(20, 'x'))).toEqual({ gap: 6, data: bytes('x') });
  expect(model.received).toBe(21);
});

test('output is acknowledged by the piece while much comes, and all of it a moment later', () => {
  model.attached(reply({ offset: 100 }), 'r');
  model.parsed(101);
  model.parsed(102);
  expect(sent).toEqual([]);
  pass();
  expect(sent).toMatchObject([{ kind: Kind.Ack, offset: 102 }]);
  model.parsed(102 + ACK_BYTES);
  model.parsed(103 + ACK_BYTES);
  expect(sent.slice(1)).toMatchObject([{ kind: Kind.Ack, offset: 102 + ACK_BYTES }]);
  pass();
  expect(sent.at(-1)).toMatchObject({ kind: Kind.Ack, offset: 103 + ACK_BYTES });
});

test('nothing is acknowledged on a connection that is gone', () => {
  model.attached(reply(), 'r');
  model.parsed(1);
  model.detached();
  pass();
  expect(sent).toEqual([]);
});

test('a terminal of another runner starts anew', () => {
  model.attached(reply(), 'r');
  model.type(bytes('lost with its runner'));
  model.detached();
  sent = [];
  model.attached(reply(), 'another');
  expect(sent).toEqual([]);
  model.type(bytes('a'));
  expect(sent[0]).toMatchObject({ offset: 0 });
});
