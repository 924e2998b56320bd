/** The console of runs: the command of a run, its terminal, how it ended, and the earlier runs. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownEmptyIcon, consoleIcon, runIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { BoxLayout, Widget } from '@lumino/widgets';
import type { Channel } from '../api/channel';
import { IRun, ReplError } from '../model/messages';
import { isRunning, NO_TERMINAL, Runs } from '../model/run';
import { IPoint, makeIconButton } from './buttons';
import type { Terminal } from './terminal';
import { describeRun } from './words';

export interface IConsoleActions {
  runAgain(): void;
  /** Let the person choose an earlier run. */
  chooseRun(at: IPoint): void;
}

export class RunConsole extends Widget {
  constructor(
    readonly terminal: Terminal,
    private readonly _runs: Runs,
    private readonly _actions: IConsoleActions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Repl-console');
    this.title.label = _trans.__('Console');
    this.title.icon = consoleIcon;
    this._fill();
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    [this._head, this._empty, terminal, this._foot].forEach(widget => layout.addWidget(widget));
    BoxLayout.setStretch(terminal, 1);
    BoxLayout.setStretch(this._empty, 1);
    this.layout = layout;
    this._empty.addClass('jp-Repl-empty');
    this._empty.node.textContent = _trans.__('Nothing has run yet. Press Run, or Ctrl+Enter in any pane.');
    [this._head, terminal, this._foot].forEach(widget => widget.hide());
    _runs.changed.connect(this._update, this);
  }

  /** Another run is to be shown: the listener attaches its terminal. */
  get wanted(): ISignal<this, IRun> {
    return this._wanted;
  }

  /**
   * Show the output of a run over this channel. Does nothing if the run is attached over this channel already.
   * Never rejects: the terminal shows what went wrong.
   */
  async attach(channel: Channel, run: IRun): Promise<void> {
    if (this._channel === channel && this._started === run.started) {
      return;
    }
    this._channel = channel;
    this._started = run.started;
    try {
      if (run.terminal === NO_TERMINAL) {
        throw new ReplError('FileNotFound', '');
      }
      await this.terminal.attach(channel, run.terminal);
    } catch (reason) {
      const error = ReplError.from(reason);
      const isGone = error.code === 'FileNotFound';
      await this.terminal.say(
        isGone ? this._trans.__('[The output of this run is no longer stored.]') : error.text
      );
    }
  }

  /** Show why a run could not be started. */
  refused(reason: string): void {
    this._say('error', reason);
    this._foot.show();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._runs.changed.disconnect(this._update, this);
      super.dispose();
    }
  }

  protected override onActivateRequest(_: Message): void {
    this.terminal.activate();
  }

  private _fill(): void {
    const trans = this._trans;
    this._head.addClass('jp-Repl-consoleHead');
    this._command.className = 'jp-Repl-consoleCommand';
    const history = makeIconButton(trans.__('Earlier runs'), caretDownEmptyIcon, at => {
      this._actions.chooseRun(at);
    });
    history.classList.add('jp-Repl-consoleHistory');
    history.setAttribute('aria-haspopup', 'menu');
    this._head.node.append(this._command, history);
    this._foot.addClass('jp-Repl-consoleFoot');
    this._text.setAttribute('role', 'status');
    this._again = makeIconButton(trans.__('Run again'), runIcon, () => this._actions.runAgain());
    this._foot.node.append(this._text, this._again);
  }

  private _update(): void {
    const { shown, current } = this._runs;
    if (!shown) {
      return;
    }
    this._empty.hide();
    [this._head, this.terminal, this._foot].forEach(widget => widget.show());
    this._command.textContent = `$ ${shown.command}`;
    this._command.title = shown.command;
    this._again.hidden = current !== null;
    this._say(
      isRunning(shown) ? 'running' : shown.code === 0 ? 'success' : 'error',
      describeRun(shown, this._trans)
    );
    if (shown.started !== this._started) {
      this._wanted.emit(shown);
    }
  }

  private _say(level: string, text: string): void {
    this._foot.node.dataset.level = level;
    this._text.textContent = text;
  }

  private readonly _head = new Widget();
  private readonly _command = document.createElement('span');
  private readonly _empty = new Widget();
  private readonly _foot = new Widget();
  private readonly _text = document.createElement('span');
  private _again!: HTMLButtonElement;
  /** When the run that was attached last was started, and the channel that it was attached over. */
  private _started = 0;
  private _channel: Channel | null = null;
  private readonly _wanted = new Signal<this, IRun>(this);
}
