/** One terminal as this tab sees it: offsets of output and input, credit, and the offset to resume from. No DOM. */

import { IFrame, Kind, packFrame } from './frames';
import type { ITerminalReply } from './messages';
import { Later, Timer } from './timer';

/** Bytes of input that may be unacknowledged; the rest waits here. */
export const MAX_UNACKNOWLEDGED = 64 * 1024;
const MAX_CHUNK = 16 * 1024;
/** Output is acknowledged after this many bytes or ms: each acknowledgement costs the runner as much as a key. */
export const ACK_BYTES = 32 * 1024;
export const ACK_MS = 20;

export class TerminalModel {
  /**
   * @param viewer - identifies this view of the terminal for its whole life
   * @param send - sends a frame; may drop it while disconnected, since it is sent again after a reconnect
   */
  constructor(
    readonly viewer: string,
    private readonly _send: (frame: Uint8Array<ArrayBuffer>) => void,
    later: Later
  ) {
    this._timer = new Timer(later);
  }

  /** The terminal's number, 0 until it is attached. */
  number = 0;
  /** The runner it belongs to. */
  runner = '';

  /** Take the runner's answer to `requestTerminal`. Input that the runner has not received is sent again. */
  attached(reply: ITerminalReply, runner: string): void {
    const isNew = this.number !== reply.terminal || this.runner !== runner;
    this.number = reply.terminal;
    this.runner = runner;
    this._told = reply.offset;
    if (isNew) {
      this._received = reply.offset;
      this._input = this._acked = this._sent = reply.input;
      this._typed = [];
    } else {
      this._forget(reply.input);
      this._sent = reply.input;
    }
    this._flush();
  }

  /** The connection is gone: nothing is sent until `attached`. */
  detached(): void {
    this._timer.cancel();
    this._sent = Number.MAX_SAFE_INTEGER;
  }

  /**
   * Take an output frame of this terminal.
   *
   * @returns how many bytes are missing before the frame (usually 0), and its bytes that are new
   */
  output(frame: IFrame): { gap: number; data: Uint8Array } {
    const skip = Math.max(0, this._received - frame.offset);
    const gap = Math.max(0, frame.offset - this._received);
    this._received = Math.max(this._received, frame.offset + frame.payload.length);
    return { gap, data: frame.payload.subarray(skip) };
  }

  /** The offset after the newest output that was received. */
  get received(): number {
    return this._received;
  }

  /** The screen has parsed output up to `offset`. */
  parsed(offset: number): void {
    const tell = (): void => {
      this._timer.cancel();
      this._told = offset;
      this._send(packFrame(Kind.Ack, this.number, offset));
    };
    if (offset - this._told >= ACK_BYTES) {
      tell();
    } else {
      this._timer.set(tell, ACK_MS);
    }
  }

  /** The runner wrote our input up to `offset` into the PTY. */
  acknowledged(offset: number): void {
    this._forget(offset);
    this._flush();
  }

  type(data: Uint8Array): void {
    if (data.length) {
      this._typed.push(data);
      this._input += data.length;
      this._flush();
    }
  }

  /** Drop all input that is not acknowledged, and interrupt the program at once. */
  interrupt(): void {
    this._typed = [];
    this._acked = this._input;
    if (this._sent !== Number.MAX_SAFE_INTEGER) {
      this._sent = this._input;
      this._send(packFrame(Kind.Interrupt, this.number, this._input));
    }
  }

  /** Input bytes that the runner has not acknowledged. */
  get pending(): number {
    return this._input - this._acked;
  }

  private _forget(offset: number): void {
    while (this._typed.length && this._acked < offset) {
      const first = this._typed[0];
      const done = Math.min(first.length, offset - this._acked);
      this._acked += done;
      if (done === first.length) {
        this._typed.shift();
      } else {
        this._typed[0] = first.subarray(done);
      }
    }
    this._acked = Math.max(this._acked, Math.min(offset, this._input));
  }

  private _flush(): void {
    let start = this._acked;
    for (const data of this._typed) {
      const end = start + data.length;
      while (this._sent < end && this._sent >= start) {
        const room = MAX_UNACKNOWLEDGED - (this._sent - this._acked);
        const chunk = data.subarray(this._sent - start, this._sent - start + Math.min(room, MAX_CHUNK));
        if (!chunk.length) {
          return;
        }
        this._send(packFrame(Kind.Input, this.number, this._sent, chunk));
        this._sent += chunk.length;
      }
      start = end;
    }
  }

  private _received = 0;
  /** The offset up to which output was acknowledged. */
  private _told = 0;
  private readonly _timer: Timer;
  /** Input that is not acknowledged yet, from offset `_acked` on. */
  private _typed: Uint8Array[] = [];
  /** All input so far, and how much of it was sent and acknowledged. */
  private _input = 0;
  private _sent = Number.MAX_SAFE_INTEGER;
  private _acked = 0;
}
