/** One terminal on xterm: its output, its input, copying and pasting, and the search in it. */

import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { Channel } from '../api/channel';
import { Begin, IEnd, ISize, ITerminalListener, RemoteTerminal } from '../api/terminal';
import { clipboardAction } from '../model/keys';
import { onceOrAgain } from '../model/once';
import { pasteable } from '../model/pasteable';
import type { ISettings } from '../model/settings';
import type { ILocation } from '../model/traceback';
import type { IXterm } from '../xterm/load';
import { FindBar } from './findBar';

type Loader = typeof import('../xterm/load');

const IS_MAC = /Mac|iP/.test(navigator.platform);

/** The longest title that a program can give its terminal. */
const MAX_TITLE = 80;

export interface ITerminalOptions {
  settings: ISettings;
  /** Returns the project's path as its programs see it; empty until that is known. */
  folder(): string;
  /** Called when a file location in the output is clicked. */
  openLocation(location: ILocation): void;
  trans: TranslationBundle;
}

export class Terminal extends Widget implements ITerminalListener {
  constructor(
    private readonly _load: () => Promise<Loader>,
    private readonly _options: ITerminalOptions
  ) {
    super();
    this.addClass('jp-Repl-terminal');
    this.title.icon = terminalIcon;
    this._settings = _options.settings;
    this._host.className = 'jp-Repl-terminalHost';
    this._host.dataset.lmSuppressShortcuts = 'true';
    this.node.append(this._host);
    this._host.addEventListener('paste', event => this._onPaste(event), true);
  }

  /** The terminal's number, 0 until it is attached. */
  get number(): number {
    return this._remote.number;
  }

  get hasEnded(): boolean {
    return this._ended;
  }

  /** The program has ended. */
  get exited(): ISignal<this, IEnd> {
    return this._exited;
  }

  /** Enter was pressed after the program had ended. */
  get restartWanted(): ISignal<this, void> {
    return this._restartWanted;
  }

  /** The program has set the terminal's title. */
  get named(): ISignal<this, string> {
    return this._named;
  }

  /** The rows and columns that fit; NO_SIZE until the screen is there, and while it is hidden. */
  get size(): ISize {
    const { rows, cols } = this._xterm?.fit.proposeDimensions() ?? NO_SIZE;
    return rows > 0 && cols > 0 ? { rows, cols } : NO_SIZE; // NaN while it is hidden
  }

  /** Show a terminal of the channel's runner, or a new one. */
  async attach(channel: Channel, which: number | Begin): Promise<void> {
    await this._ready();
    await this._remote.attach(channel, which, this.size);
    this.node.dataset.terminal = String(this._remote.number);
  }

  /** The connection was lost. Input that is typed meanwhile is sent after the next `attach`. */
  detach(): void {
    this._remote.detach();
  }

  // -- what the runner sends

  reset(): void {
    this._ended = false;
    this._xterm?.terminal.reset();
  }

  output(data: Uint8Array, gap: number, parsed: () => void): void {
    if (gap) {
      this._write(this._options.trans.__('[%1 bytes of output were dropped]', gap));
    }
    this._xterm?.terminal.write(data, parsed);
  }

  resized({ rows, cols }: ISize): void {
    this._xterm?.terminal.resize(cols, rows);
  }

  ended(how: IEnd): void {
    this._ended = true;
    // after the output that is still being parsed
    this._xterm?.terminal.write('', () => this._exited.emit(how));
  }

  /** Write a line that is ours and not the program's. */
  async say(text: string): Promise<void> {
    await this._ready();
    this._write(text);
  }

  private _write(text: string): void {
    this._xterm?.terminal.write(`\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }

  // -- settings and theme

  /** Follow the person's settings. */
  async updateSettings(settings: ISettings): Promise<void> {
    this._settings = settings;
    const { terminal } = await this._ready();
    Object.assign(terminal.options, this._loaded!.optionsOf(settings));
    this._fitSoon();
  }

  /** Follow JupyterLab's theme. */
  async updateTheme(): Promise<void> {
    const { terminal } = await this._ready();
    terminal.options.theme = this._loaded!.xtermTheme();
  }

  // -- what a person does with it

  get hasSelection(): boolean {
    return this._xterm?.terminal.hasSelection() ?? false;
  }

  /** Copy the selection, then clear it. */
  copy(): void {
    const { terminal } = this._xterm ?? {};
    if (terminal?.hasSelection()) {
      Clipboard.copyToSystem(terminal.getSelection());
      terminal.clearSelection();
      terminal.focus(); // copying has taken the focus
    }
  }

  paste(text: string): void {
    this._xterm?.terminal.paste(pasteable(text));
    this._xterm?.terminal.focus();
  }

  selectAll(): void {
    this._xterm?.terminal.selectAll();
  }

  /** Discard all output except the line that is being typed. */
  clear(): void {
    this._xterm?.terminal.clear();
    this._remote.clear();
  }

  find(): void {
    const xterm = this._xterm;
    if (xterm) {
      const leave = (): void => xterm.terminal.focus();
      this._findBar ??= new FindBar(this.node, xterm.search, leave, this._options.trans);
      this._findBar.open(xterm.terminal.getSelection());
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    if (this._xterm) {
      this._loaded!.disposeTerminal(this._xterm.terminal);
    }
    super.dispose();
  }

  protected override onAfterAttach(_: Message): void {
    void this._ready();
  }

  /** Closing the tab stops the terminal's programs; closing the page does not. */
  protected override onCloseRequest(_: Message): void {
    this._remote.close();
    this.dispose();
  }

  protected override onAfterShow(_: Message): void {
    this._fitSoon();
  }

  protected override onResize(_: Widget.ResizeMessage): void {
    this._fitSoon();
  }

  protected override onActivateRequest(_: Message): void {
    void this._ready().then(({ terminal }) => terminal.focus());
  }

  private _fitSoon(): void {
    requestAnimationFrame(() => {
      if (this.isVisible && this._host.clientHeight > 0 && this._xterm) {
        const { rows, cols } = this.size;
        if (rows !== this._room.rows || cols !== this._room.cols) {
          this._room = { rows, cols };
          this._xterm.terminal.resize(cols, rows);
          this._remote.resize({ rows, cols }); // if another view decides the size, `resized` is called
        }
      }
    });
  }

  private readonly _ready = onceOrAgain(() => this._open());

  private async _open(): Promise<IXterm> {
    const { createTerminal, textOf } = (this._loaded = await this._load());
    const { folder, openLocation } = this._options;
    const xterm = createTerminal(this._host, this._settings, folder, openLocation);
    const { terminal } = xterm;
    this._xterm = xterm;
    if (this.isVisible) {
      xterm.fit.fit();
      this._room = this.size;
    }
    terminal.onData(data => this._onData(data));
    terminal.onBinary(data => this._remote.type(Uint8Array.from(data, char => char.charCodeAt(0))));
    terminal.onTitleChange(title => this._named.emit(title.slice(0, MAX_TITLE)));
    terminal.attachCustomKeyEventHandler(event => this._onKey(event));
    // for tests and assistive tools: the screen is drawn as pixels, so they read its text here
    Object.defineProperty(this._host, 'terminalText', { get: () => textOf(terminal) });
    const view = (): object => ({
      rows: terminal.rows,
      cols: terminal.cols,
      top: terminal.buffer.active.viewportY
    });
    Object.defineProperty(this._host, 'terminalView', { get: view });
    return xterm;
  }

  private _onData(data: string): void {
    if (data === '\x03') {
      this._remote.interrupt();
    } else if (!this._ended) {
      this._remote.type(new TextEncoder().encode(data));
    } else if (data === '\r') {
      this._restartWanted.emit();
    }
  }

  /** Handles clipboard keys; the tab takes our other shortcuts earlier. Returns true if xterm is to handle the key. */
  private _onKey(event: KeyboardEvent): boolean {
    const action = clipboardAction(event, {
      isMac: IS_MAC,
      hasSelection: this.hasSelection,
      pasteWithCtrlV: this._settings.pasteWithCtrlV
    });
    if (action === 'copy') {
      event.preventDefault();
      this.copy();
    }
    return action === null; // for a paste the browser sends an event, see `_onPaste`
  }

  /** Takes the paste event from xterm, which would send the text with its control characters. */
  private _onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData('text/plain') ?? '');
  }

  private readonly _host = document.createElement('div');
  private readonly _remote = new RemoteTerminal(this);
  private readonly _restartWanted = new Signal<this, void>(this);
  private readonly _exited = new Signal<this, IEnd>(this);
  private readonly _named = new Signal<this, string>(this);
  private _settings: ISettings;
  private _loaded: Loader | null = null;
  private _xterm: IXterm | null = null;
  private _findBar: FindBar | null = null;
  /** The rows and columns that were last sent to the runner. */
  private _room: ISize = { rows: 0, cols: 0 };
  private _ended = false;
}

const NO_SIZE: ISize = { rows: 24, cols: 80 };
