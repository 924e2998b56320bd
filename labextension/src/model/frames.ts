/** Binary frames: terminal bytes behind a header of 13 bytes, `u8 kind, u32 terminal, u64 offset`, big-endian. */

export const HEADER_BYTES = 13;

export enum Kind {
  Output = 1,
  Input = 2,
  Ack = 3,
  Interrupt = 4
}

export interface IFrame {
  kind: Kind;
  terminal: number;
  offset: number;
  payload: Uint8Array;
}

const NOTHING = new Uint8Array();

export function packFrame(
  kind: Kind,
  terminal: number,
  offset: number,
  payload: Uint8Array = NOTHING
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, terminal);
  view.setBigUint64(5, BigInt(offset));
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Parse a frame; null if it is shorter than its header. */
export function unpackFrame(data: ArrayBuffer): IFrame | null {
  if (data.byteLength < HEADER_BYTES) {
    return null;
  }
  const view = new DataView(data);
  return {
    kind: view.getUint8(0),
    terminal: view.getUint32(1),
    // 2^53 bytes of output take a century to print
    offset: Number(view.getBigUint64(5)),
    payload: new Uint8Array(data, HEADER_BYTES)
  };
}
