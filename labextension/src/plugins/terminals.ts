/** The shells of one tab: one view for each live shell of the runner, and always at least one. */

import type { Channel } from '../api/channel';
import type { Begin } from '../api/terminal';
import { ReplError } from '../model/messages';
import type { ISettings } from '../model/settings';
import type { ReplPanel } from '../widgets/replPanel';
import { ITerminalOptions, Terminal } from '../widgets/terminal';

const ROOT: Begin = { folder: '' };

export class Terminals {
  /** @param channel - the open channel, or null while there is none */
  constructor(
    private readonly _panel: ReplPanel,
    private readonly _xterm: () => Promise<typeof import('../xterm/load')>,
    private readonly _options: ITerminalOptions,
    private readonly _channel: () => Channel | null
  ) {}

  /** Open and focus a new shell, in `folder` or else in the current folder of the shell that was used last. */
  async open(folder?: string): Promise<void> {
    const beside = this.active?.number ?? 0;
    const terminal = this._add();
    const channel = this._channel();
    if (channel) {
      await this._attach(
        terminal,
        channel,
        folder === undefined && beside ? { beside } : { folder: folder ?? '' }
      );
      terminal.activate();
    }
  }

  /** Give every live shell of the runner its view again. Never rejects: the terminal shows the error. */
  async connected(channel: Channel): Promise<void> {
    const { runner, runs, terminals, readOnly } = channel.loaded;
    const ofRuns = new Set(runs.map(run => run.terminal));
    const alive = terminals.map(({ terminal }) => terminal).filter(number => !ofRuns.has(number));
    const isSame = this._runner === runner;
    this._runner = runner;
    const views = [...this._views];
    const shown = new Set<number>();
    for (const view of views) {
      const { number } = view;
      if (isSame && alive.includes(number)) {
        shown.add(number);
        void this._attach(view, channel, number);
      } else if (!(isSame && view.hasEnded) && !readOnly) {
        void this._attach(view, channel, ROOT);
      }
    }
    const rest = alive.filter(number => !shown.has(number));
    const wanted = views.length || rest.length || readOnly ? rest : [ROOT];
    await Promise.all(wanted.map(which => this._attach(this._add(), channel, which)));
  }

  disconnected(): void {
    this._views.forEach(view => view.detach());
  }

  updateTheme(): void {
    this._views.forEach(view => void view.updateTheme());
  }

  updateSettings(settings: ISettings): void {
    this._views.forEach(view => void view.updateSettings(settings));
  }

  /** The shell that was used last, or any. */
  get active(): Terminal | null {
    const { _last: last } = this;
    return last && this._views.has(last) ? last : ([...this._views].find(view => view.isVisible) ?? null);
  }

  /** The terminal with this number, or null. Numbers stay the same as long as the runner lives. */
  byNumber(number: number): Terminal | null {
    return [...this._views].find(view => view.number === number) ?? null;
  }

  private _add(): Terminal {
    const { trans } = this._options;
    const terminal = new Terminal(this._xterm, this._options);
    const name = trans.__('Terminal %1', ++this._count);
    terminal.title.label = name;
    terminal.named.connect((_, title) => {
      terminal.title.label = title || name;
      terminal.title.caption = title && `${name}: ${title}`;
    });
    terminal.title.closable = true;
    terminal.exited.connect((_, { code, signal }) => {
      const how = signal ?? trans.__('code %1', code);
      void terminal.say(trans.__('[The shell has ended: %1. Press Enter for a new one.]', how));
    });
    terminal.restartWanted.connect(() => {
      const channel = this._channel();
      if (channel && !channel.loaded.readOnly) {
        void this._attach(terminal, channel, ROOT);
      }
    });
    terminal.node.addEventListener('focusin', () => (this._last = terminal));
    terminal.disposed.connect(() => this._views.delete(terminal));
    this._panel.addTerminal(terminal, this._views);
    this._views.add(terminal);
    return terminal;
  }

  private async _attach(terminal: Terminal, channel: Channel, which: number | Begin): Promise<void> {
    try {
      await terminal.attach(channel, which);
    } catch (reason) {
      await terminal.say(ReplError.from(reason).text);
    }
  }

  private readonly _views = new Set<Terminal>();
  private _last: Terminal | null = null;
  private _count = 0;
  /** The runner whose shells are shown. */
  private _runner = '';
}
