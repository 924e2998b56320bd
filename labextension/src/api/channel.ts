/** The channel: one WebSocket to a runner, requests by id, events and terminal frames as signals. */

import { URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';
import { IFrame, Kind, unpackFrame } from '../model/frames';
import { ILoaded, IMessage, parseMessage, ReplError } from '../model/messages';
import type { IConnection } from '../model/repl';
import { routeOf, splitKey } from '../model/replKey';
import type { Server } from './server';

const SUBPROTOCOL = 'jupyter-repl.v1';
const OPEN_SECONDS = 15;
const REPLY_SECONDS = 30;
/** The server sends something every 10 s. After this many checks without a frame, the channel counts as closed. */
const SILENT_LOOKS = 25;
/** After this many checks without an answer that is due, the tab shows a warning. */
const SLOW_LOOKS = 4;
const LOOK_SECONDS = 1;
/** The close code of a connection that ended without a close frame. */
const SILENT = 1006;
/** Bytes that a request may have; larger texts are sent to the route `file/` instead. */
export const MAX_MESSAGE = 256 * 1024;

interface IPending {
  resolve(data: Record<string, unknown>): void;
  reject(error: ReplError): void;
  timer: ReturnType<typeof setTimeout>;
}

export class Channel implements IConnection {
  /** Open a channel and wait for its event `loaded`; rejects with a ReplError. */
  static async open({ settings, trans }: Server, key: string): Promise<Channel> {
    const route = routeOf(key, 'project', splitKey(key).replId, 'channel');
    let url = URLExt.join(settings.wsUrl, 'repl', ...route.map(encodeURIComponent));
    if (settings.appendToken && settings.token) {
      url += `?token=${encodeURIComponent(settings.token)}`;
    }
    const socket = new settings.WebSocket(url, [SUBPROTOCOL]);
    socket.binaryType = 'arraybuffer';
    const channel = new Channel(socket, trans);
    await channel._opened.promise;
    return channel;
  }

  private constructor(
    private readonly _socket: WebSocket,
    private readonly _trans: TranslationBundle
  ) {
    const timer = setTimeout(() => this._giveUp(), OPEN_SECONDS * 1000);
    this._opened.promise.catch(() => undefined).finally(() => clearTimeout(timer));
    _socket.onmessage = ({ data }) => this._receive(data);
    this._looking = setInterval(() => this._look(), LOOK_SECONDS * 1000);
    _socket.onclose = ({ code }) => this._onClose(code);
  }

  get closed(): Promise<number> {
    return this._closed.promise;
  }

  get loaded(): ILoaded {
    return this._loaded!;
  }

  /** Events other than replies. */
  get event(): ISignal<this, IMessage> {
    return this._event;
  }

  /** Frames of terminals. */
  get frame(): ISignal<this, IFrame> {
    return this._frame;
  }

  /** Emits the seconds without an answer, once they are SLOW_LOOKS or more, and 0 when an answer has come. */
  get slow(): ISignal<this, number> {
    return this._slow;
  }

  /** Send a request and wait for its reply; rejects with a ReplError. */
  async request<T>(event: string, data: object): Promise<T> {
    const id = ++this._lastId;
    const message = JSON.stringify({ event, data, id });
    return new Promise<T>((resolve, reject) => {
      if (this._socket.readyState !== WebSocket.OPEN) {
        reject(this._gone());
        return;
      }
      const timer = setTimeout(() => {
        this._pending.delete(id);
        reject(this._silent());
      }, REPLY_SECONDS * 1000);
      this._pending.set(id, { resolve: data => resolve(data as T), reject, timer });
      this._socket.send(message);
      this._wantsAnswer = true;
    });
  }

  /** Send a terminal frame; dropped while the channel is not open. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this._socket.readyState === WebSocket.OPEN) {
      this._socket.send(frame);
      this._wantsAnswer ||= unpackFrame(frame.buffer)?.kind === Kind.Input;
    }
  }

  /** Wait for a sign of life: without one `slow` is emitted. For requests that go another way than the channel. */
  expectAnswer(): void {
    this._wantsAnswer = true;
  }

  close(): void {
    this._socket.close();
  }

  /** Counts checks instead of time: when a laptop wakes up, its connection may still be alive. */
  private _look(): void {
    if (++this._silence > SILENT_LOOKS) {
      this._onClose(SILENT); // the socket's own close event may take minutes
      this._socket.close();
    } else if (this._wantsAnswer && ++this._unanswered >= SLOW_LOOKS) {
      this._slow.emit(this._unanswered * LOOK_SECONDS);
    } else if (this._unanswered === SLOW_LOOKS - 1) {
      // The pending request may take long, or wait for a program that reads no input, and prove nothing. No event has
      // the name `ping`, and every runner answers an unknown event at once, with an error.
      this._socket.send(JSON.stringify({ event: 'ping', data: {}, id: 0 }));
    }
  }

  private _receive(data: string | ArrayBuffer): void {
    this._silence = 0;
    if (this._unanswered >= SLOW_LOOKS) {
      this._slow.emit(0);
    }
    this._wantsAnswer = false;
    this._unanswered = 0;
    if (typeof data !== 'string') {
      const frame = unpackFrame(data);
      if (frame) {
        this._frame.emit(frame);
      }
      return;
    }
    const message = parseMessage(data);
    if (!message) {
      return;
    }
    if (message.event === 'loaded') {
      this._loaded = message.data as unknown as ILoaded;
      this._opened.resolve();
    } else if (message.event === 'reply') {
      this._settle(message);
    } else {
      this._event.emit(message);
    }
  }

  private _settle({ id, data, error }: IMessage): void {
    const pending = this._pending.get(id ?? 0);
    if (!pending) {
      return;
    }
    this._pending.delete(id!);
    clearTimeout(pending.timer);
    if (error) {
      pending.reject(new ReplError(error.code, error.message, error.hint));
    } else {
      pending.resolve(data ?? {});
    }
  }

  /** Rejects `open`, unless the channel has opened already, and closes the socket. */
  private _giveUp(): void {
    this._opened.reject(this._silent());
    this._socket.close();
  }

  private _silent(): ReplError {
    const { _trans: trans } = this;
    return new ReplError('Unavailable', trans.__('The REPL does not answer.'), trans.__('Try again.'));
  }

  private _gone(): ReplError {
    const { _trans: trans } = this;
    const hint = trans.__('Your text is kept in this tab.');
    return new ReplError('Unavailable', trans.__('The connection is gone.'), hint);
  }

  private _onClose(code: number): void {
    clearInterval(this._looking);
    this._socket.onmessage = this._socket.onclose = null;
    this._giveUp();
    for (const { reject, timer } of this._pending.values()) {
      clearTimeout(timer);
      reject(this._gone());
    }
    this._pending.clear();
    this._closed.resolve(code);
    Signal.clearData(this);
  }

  private readonly _opened = new PromiseDelegate<void>();
  private readonly _closed = new PromiseDelegate<number>();
  private _loaded: ILoaded | null = null;
  private readonly _looking: ReturnType<typeof setInterval>;
  private _silence = 0;
  /** Whether an answer is due, and how many checks have passed without one. */
  private _wantsAnswer = false;
  private _unanswered = 0;
  private readonly _slow = new Signal<this, number>(this);
  private _lastId = 0;
  private readonly _pending = new Map<number, IPending>();
  private readonly _event = new Signal<this, IMessage>(this);
  private readonly _frame = new Signal<this, IFrame>(this);
}
