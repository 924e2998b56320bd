/** One view's connection to a terminal of the runner. After a disconnect it attaches over the next channel. */

import { UUID } from '@lumino/coreutils'; // crypto.randomUUID works only in secure contexts
import { IFrame, Kind } from '../model/frames';
import type { IMessage, ITerminalReply } from '../model/messages';
import { TerminalModel } from '../model/terminal';
import { later } from '../model/timer';
import type { Channel } from './channel';

export interface ISize {
  rows: number;
  cols: number;
}

/** How the program ended: its code, or the signal that ended it. */
export interface IEnd {
  code: number | null;
  signal: string | null;
}

/** Where a new terminal starts: in a folder of the project, or in the folder of another terminal's program. */
export type Begin = { folder: string } | { beside: number };

export interface ITerminalListener {
  /** The output that follows belongs to another terminal. */
  reset(): void;
  /** Call `parsed` once the screen has parsed the bytes. The runner has dropped `gap` bytes before them. */
  output(data: Uint8Array, gap: number, parsed: () => void): void;
  /** Another view of the terminal has given it this size. */
  resized(size: ISize): void;
  ended(how: IEnd): void;
}

export class RemoteTerminal {
  constructor(private readonly _listener: ITerminalListener) {}

  /** The terminal's number, 0 until it is attached. */
  get number(): number {
    return this._model.number;
  }

  /**
   * Attach to terminal `which` of the channel's runner, or to a new one. Attaching to the same terminal again resumes
   * it: nothing is lost or repeated. Rejects with a ReplError.
   */
  async attach(channel: Channel, which: number | Begin, size: ISize): Promise<void> {
    const { runner } = channel.loaded;
    const isSame = which === this._model.number && runner === this._model.runner;
    if (!isSame) {
      this._model = new TerminalModel(UUID.uuid4(), frame => this._channel?.send(frame), later);
      this._listener.reset();
    }
    this._channel = channel;
    this._isReadOnly = channel.loaded.readOnly ?? false;
    channel.frame.connect(this._onFrame, this);
    channel.event.connect(this._onEvent, this);
    this._early = [];
    const reply = await channel.request<ITerminalReply>('requestTerminal', {
      ...size,
      viewer: this._model.viewer,
      ...(typeof which === 'number' ? { terminal: which } : which),
      ...(isSame ? { from: this._model.received } : {})
    });
    this._model.attached(reply, runner);
    const early = this._early ?? [];
    this._early = null;
    early.forEach(message =>
      'event' in message ? this._onEvent(channel, message) : this._onFrame(channel, message)
    );
  }

  /** The connection was lost. Input that is typed meanwhile is sent after the next `attach`. */
  detach(): void {
    this._model.detached();
    this._channel = null;
  }

  type(data: Uint8Array): void {
    if (!this._isReadOnly) {
      this._model.type(data);
    }
  }

  interrupt(): void {
    if (!this._isReadOnly) {
      this._model.interrupt();
    }
  }

  /** Report the size that fits this view. The terminal takes the size of the view that was typed in last. */
  resize(size: ISize): void {
    this._tell('resizeTerminal', size);
  }

  /** Discard the output that the runner has stored. */
  clear(): void {
    this._tell('clearTerminal');
  }

  /** Stop the terminal's programs. */
  close(): void {
    this._tell('closeTerminal');
  }

  private _tell(event: string, data: object = {}): void {
    if (this._channel && this._model.number && !this._early && !this._isReadOnly) {
      this._channel.request(event, { terminal: this._model.number, ...data }).catch(() => undefined);
    }
  }

  private _onFrame(channel: Channel, frame: IFrame): void {
    if (channel !== this._channel) {
      return;
    }
    const model = this._model;
    if (this._early) {
      this._early.push(frame); // the reply has the number of our terminal
    } else if (frame.terminal === model.number && frame.kind === Kind.Ack) {
      model.acknowledged(frame.offset);
    } else if (frame.terminal === model.number && frame.kind === Kind.Output) {
      const { gap, data } = model.output(frame);
      const end = model.received;
      this._listener.output(data, gap, () => model.parsed(end));
    }
  }

  private _onEvent(channel: Channel, message: IMessage): void {
    if (channel !== this._channel) {
      return;
    }
    if (this._early) {
      this._early.push(message);
      return;
    }
    const data = message.data as unknown as { terminal: number } & ISize & IEnd;
    if (data.terminal !== this._model.number) {
      return;
    }
    if (message.event === 'terminalExit') {
      this._listener.ended(data);
    } else if (message.event === 'terminalSize') {
      this._listener.resized(data);
    }
  }

  private _model = new TerminalModel('', () => undefined, later);
  private _channel: Channel | null = null;
  /** The person may look at the terminal, and change nothing in it. */
  private _isReadOnly = false;
  /** Frames and events that came before the reply to `requestTerminal`; null after it. */
  private _early: (IFrame | IMessage)[] | null = null;
}
