/** One terminal on xterm: bytes in, bytes out, with credit; the offsets are the model's. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils'; // crypto.randomUUID is there at secure addresses only
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { Channel } from '../api/channel';
import { IFrame, Kind } from '../model/frames';
import type { IMessage, ITerminalReply } from '../model/messages';
import type { ISettings } from '../model/settings';
import { TerminalModel } from '../model/terminal';
import type { ILocation } from '../model/traceback';
import type { FitAddon, Terminal as Xterm } from '../xterm/load';

type Loader = typeof import('../xterm/load');

export interface ITerminalOptions {
  settings: ISettings;
  /** Where the project lies for its programs; empty until that is known. */
  folder(): string;
  /** A place in a file was clicked that a program has named. */
  openLocation(location: ILocation): void;
  trans: TranslationBundle;
}

export class Terminal extends Widget {
  constructor(
    private readonly _loader: Promise<Loader>,
    private readonly _options: ITerminalOptions
  ) {
    super();
    this.addClass('jp-Repl-terminal');
    this.title.icon = terminalIcon;
    this._host.className = 'jp-Repl-terminalHost';
    this._host.dataset.lmSuppressShortcuts = 'true';
    this.node.append(this._host);
  }

  /** The terminal's number, 0 until it is attached. */
  get number(): number {
    return this._model.number;
  }

  get hasEnded(): boolean {
    return this._ended;
  }

  /** The program has ended: its code, or the signal that ended it. */
  get ended(): ISignal<this, { code: number | null; signal: string | null }> {
    return this._endedSignal;
  }

  /** Enter was pressed after the program had ended. */
  get restartWanted(): ISignal<this, void> {
    return this._restartWanted;
  }

  /** Rows and columns, as far as the screen is there. */
  get size(): { rows: number; cols: number } {
    return { rows: this._xterm?.rows ?? 24, cols: this._xterm?.cols ?? 80 };
  }

  /**
   * Show terminal `number` of the channel's runner, a new one if it is 0. On a further call with the same runner
   * nothing is lost and nothing is repeated.
   *
   * @param folder - where a new one begins
   */
  async attach(channel: Channel, number: number, folder = ''): Promise<void> {
    const xterm = await this._ready();
    const { runner } = channel.loaded;
    const isSame = number !== 0 && number === this._model.number && runner === this._model.runner;
    if (!isSame) {
      this._model = new TerminalModel(UUID.uuid4(), frame => this._channel?.send(frame));
      this._ended = false;
      xterm.reset();
    }
    this._channel = channel;
    channel.frame.connect(this._onFrame, this);
    channel.event.connect(this._onEvent, this);
    this._waiting = [];
    const data = {
      rows: xterm.rows,
      cols: xterm.cols,
      viewer: this._model.viewer,
      ...(number ? { terminal: number } : { folder }),
      ...(isSame ? { from: this._model.received } : {})
    };
    const reply = await channel.request<ITerminalReply>('requestTerminal', data);
    this._model.attached(reply, runner);
    this.node.dataset.terminal = String(reply.terminal);
    const early = this._waiting ?? [];
    this._waiting = null;
    early.forEach(frame => this._onFrame(channel, frame));
  }

  /** The connection is gone; what is typed is sent when it is back. */
  detach(): void {
    this._model.detached();
    this._channel = null;
  }

  private _closeRemote(): void {
    if (this._channel && this._model.number) {
      this._channel.request('closeTerminal', { terminal: this._model.number }).catch(() => undefined);
    }
  }

  /** Write a line of ours, which is not the program's. */
  async say(text: string): Promise<void> {
    const xterm = await this._ready();
    xterm.write(`\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }

  /** Follow the person's settings. */
  async updateSettings(settings: ISettings): Promise<void> {
    const xterm = await this._ready();
    Object.assign(xterm.options, (await this._loader).optionsOf(settings));
    this._fitSoon();
  }

  /** Follow JupyterLab's theme. */
  async updateTheme(): Promise<void> {
    const xterm = await this._ready();
    xterm.options.theme = (await this._loader).xtermTheme();
  }

  /** What the screen shows, for tests and for a screen reader's sake. */
  get text(): string {
    const buffer = this._xterm?.buffer.active;
    const lines: string[] = [];
    for (let index = 0; index < (buffer?.length ?? 0); index++) {
      const isWrapped = buffer!.getLine(index + 1)?.isWrapped ?? false;
      lines.push(buffer!.getLine(index)!.translateToString(!isWrapped), isWrapped ? '' : '\n');
    }
    return lines.join('').trimEnd();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    const xterm = this._xterm;
    void this._loader.then(({ disposeTerminal }) => xterm && disposeTerminal(xterm));
    super.dispose();
  }

  protected override onAfterAttach(_: Message): void {
    void this._ready();
  }

  /** Closing the tab ends the terminal; a page that goes away does not. */
  protected override onCloseRequest(_: Message): void {
    this._closeRemote();
    this.dispose();
  }

  protected override onAfterShow(_: Message): void {
    this._fitSoon();
  }

  protected override onResize(_: Widget.ResizeMessage): void {
    this._fitSoon();
  }

  protected override onActivateRequest(_: Message): void {
    void this._ready().then(xterm => xterm.focus());
  }

  private _fitSoon(): void {
    requestAnimationFrame(() => {
      if (this.isVisible && this._host.clientHeight > 0) {
        this._fit?.fit();
      }
    });
  }

  private _ready(): Promise<Xterm> {
    return (this._opening ??= this._open());
  }

  private async _open(): Promise<Xterm> {
    const { createTerminal } = await this._loader;
    const { settings, folder, openLocation } = this._options;
    const { terminal, fit } = createTerminal(this._host, settings, folder, openLocation);
    this._xterm = terminal;
    this._fit = fit;
    if (this.isVisible) {
      fit.fit();
    }
    terminal.onData(data => this._onData(data));
    terminal.onBinary(data => this._model.type(Uint8Array.from(data, char => char.charCodeAt(0))));
    terminal.onResize(({ rows, cols }) => this._resize(rows, cols));
    terminal.attachCustomKeyEventHandler(event => this._onKey(event));
    // a handle for tests and assistive tools: the screen is drawn, not written
    Object.defineProperty(this._host, 'terminalText', { get: () => this.text });
    const view = (): object => ({ ...this.size, top: terminal.buffer.active.viewportY });
    Object.defineProperty(this._host, 'terminalView', { get: view });
    return terminal;
  }

  private _onData(data: string): void {
    if (data === '\x03') {
      this._model.interrupt();
    } else if (!this._ended) {
      this._model.type(new TextEncoder().encode(data));
    } else if (data === '\r') {
      this._restartWanted.emit();
    }
  }

  /** Copy and paste; what else is ours was found by the tab before. Returns whether xterm is to handle the key. */
  private _onKey(event: KeyboardEvent): boolean {
    if (event.type !== 'keydown') {
      return true;
    }
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyC') {
      event.preventDefault();
      void navigator.clipboard?.writeText(this._xterm?.getSelection() ?? '');
      return false;
    }
    // Ctrl+Shift+V and Cmd+V: the browser's own paste, which xterm takes
    return !(event.ctrlKey && event.shiftKey && event.code === 'KeyV');
  }

  private _resize(rows: number, cols: number): void {
    if (this._channel && this._model.number && !this._waiting) {
      const data = { terminal: this._model.number, rows, cols };
      this._channel.request('resizeTerminal', data).catch(() => undefined);
    }
  }

  private _onFrame(channel: Channel, frame: IFrame): void {
    if (channel !== this._channel || !this._xterm) {
      return;
    }
    if (this._waiting) {
      this._waiting.push(frame); // which terminal is ours is not known before the reply
    } else if (frame.terminal === this._model.number) {
      this._take(frame, this._xterm);
    }
  }

  private _take(frame: IFrame, xterm: Xterm): void {
    const model = this._model;
    if (frame.kind === Kind.Ack) {
      model.acknowledged(frame.offset);
    } else if (frame.kind === Kind.Output) {
      const { gap, data } = model.output(frame);
      if (gap) {
        xterm.write(
          `\r\n\x1b[2m${this._options.trans.__('[%1 bytes of output were not kept]', gap)}\x1b[0m\r\n`
        );
      }
      const end = model.received;
      xterm.write(data, () => model.parsed(end));
    }
  }

  private _onEvent(channel: Channel, message: IMessage): void {
    if (channel !== this._channel || message.event !== 'terminalExit') {
      return;
    }
    const { terminal, code, signal } = message.data as {
      terminal: number;
      code: number | null;
      signal: string | null;
    };
    if (terminal === this._model.number) {
      this._ended = true;
      // behind the output that is still being parsed
      this._xterm?.write('', () => this._endedSignal.emit({ code, signal }));
    }
  }

  private readonly _host = document.createElement('div');
  private readonly _restartWanted = new Signal<this, void>(this);
  private readonly _endedSignal = new Signal<this, { code: number | null; signal: string | null }>(this);
  private _model = new TerminalModel('', () => undefined);
  private _channel: Channel | null = null;
  private _opening: Promise<Xterm> | null = null;
  private _xterm: Xterm | null = null;
  private _fit: FitAddon | null = null;
  private _ended = false;
  /** Frames that came before the reply to `requestTerminal`. */
  private _waiting: IFrame[] | null = null;
}
