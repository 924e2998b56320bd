/** The console of runs: what was run, its terminal, and how it ended. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { consoleIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { BoxLayout, Widget } from '@lumino/widgets';
import type { Channel } from '../api/channel';
import type { IRun } from '../model/messages';
import type { Terminal } from './terminal';

export class RunConsole extends Widget {
  constructor(
    readonly terminal: Terminal,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Repl-console');
    this.title.label = _trans.__('Console');
    this.title.icon = consoleIcon;
    this._head.addClass('jp-Repl-consoleHead');
    this._foot.addClass('jp-Repl-consoleFoot');
    this._foot.node.setAttribute('role', 'status');
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    [this._head, this._empty, terminal, this._foot].forEach(widget => layout.addWidget(widget));
    BoxLayout.setStretch(terminal, 1);
    BoxLayout.setStretch(this._empty, 1);
    this.layout = layout;
    this._empty.addClass('jp-Repl-empty');
    this._empty.node.textContent = _trans.__('Nothing has run yet. Press Run, or Ctrl+Enter in any pane.');
    [this._head, terminal, this._foot].forEach(widget => widget.hide());
  }

  /** The run that is shown. */
  get run(): IRun | null {
    return this._run;
  }

  get isRunning(): boolean {
    return this._run !== null && this._run.code === undefined;
  }

  /** Show a run and its output. */
  async showRun(channel: Channel, run: IRun): Promise<void> {
    this._run = run;
    this._empty.hide();
    [this._head, this.terminal, this._foot].forEach(widget => widget.show());
    this._update();
    if (this.terminal.number !== run.terminal || this.terminal.hasEnded) {
      await this.terminal.attach(channel, run.terminal);
    }
  }

  /** The run has ended. */
  ended(run: IRun): void {
    if (run.run === this._run?.run) {
      this._run = run;
      this._update();
    }
  }

  /** Its runner is gone, and it with it. */
  lost(): void {
    if (this._run && this.isRunning) {
      this._run = { ...this._run, code: null, signal: null };
      this._update();
    }
  }

  /** Nothing could be run. */
  refused(reason: string): void {
    this._foot.node.dataset.level = 'error';
    this._foot.node.textContent = reason;
    this._foot.show();
  }

  protected override onActivateRequest(_: Message): void {
    this.terminal.activate();
  }

  private _update(): void {
    const run = this._run!;
    this._head.node.textContent = `$ ${run.command}`;
    this._foot.node.dataset.level = this.isRunning ? 'running' : run.code === 0 ? 'success' : 'error';
    this._foot.node.textContent = this._describe(run);
  }

  private _describe(run: IRun): string {
    const trans = this._trans;
    if (this.isRunning) {
      return trans.__('Running…');
    }
    const seconds = trans.__('%1 s', (run.duration ?? 0).toFixed(1));
    if (run.signal) {
      return trans.__('Ended by %1 · %2', run.signal, seconds);
    }
    if (run.code === null || run.code === undefined) {
      return trans.__('Ended with its REPL');
    }
    const mark = run.code === 0 ? '✓' : '✗';
    return [trans.__('%1 exit %2 · %3', mark, run.code, seconds), run.hint].filter(Boolean).join(' · ');
  }

  private readonly _head = new Widget();
  private readonly _empty = new Widget();
  private readonly _foot = new Widget();
  private _run: IRun | null = null;
}
