/** The golden messages of tests/fixtures/wire, which pytest reads too. */

import { readFileSync } from 'fs';
import { join } from 'path';
import { packFrame, unpackFrame } from '../src/model/frames';
import { parseMessage } from '../src/model/messages';

const WIRE = join(__dirname, '..', '..', 'tests', 'fixtures', 'wire');
const read = (name: string): any => JSON.parse(readFileSync(join(WIRE, name), 'utf8')); // eslint-disable-line @typescript-eslint/no-explicit-any
const { frames, malformed } = read('frames.json');
const { exchanges, events } = read('messages.json');

const buffer = (hex: string): ArrayBuffer => new Uint8Array(Buffer.from(hex, 'hex')).buffer;

test.each(frames as { name: string }[])('frame: $name', golden => {
  const { kind, terminal, offset, payload, hex } = golden as unknown as Record<string, string & number>;
  const raw = new TextEncoder().encode(payload);
  expect(Buffer.from(packFrame(kind, terminal, offset, raw)).toString('hex')).toBe(hex);
  expect(unpackFrame(buffer(hex))).toEqual({ kind, terminal, offset, payload: raw });
});

test('short frames are no frames', () => {
  const short = (malformed as string[]).filter(hex => hex.length < 26);
  expect(short.length).toBeGreaterThan(2);
  short.forEach(hex => expect(unpackFrame(buffer(hex))).toBeNull());
});

test.each(exchanges as { name: string; reply: object }[])('reply: $name', ({ reply }) => {
  expect(parseMessage(JSON.stringify(reply))).toEqual(reply);
});

test.each(events as { event: string }[])('event: $event', golden => {
  expect(parseMessage(JSON.stringify(golden))).toEqual(golden);
});

test.each(['', 'null', '7', '[]', '{}', '{"event": 7}'])('%j is no message', text => {
  expect(parseMessage(text)).toBeNull();
});
