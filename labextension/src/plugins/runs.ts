/** Run, stop, run again, and the list of earlier runs: the console of one tab. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import type { Channel } from '../api/channel';
import { IRun, ReplError } from '../model/messages';
import { Runs } from '../model/run';
import type { IPoint } from '../widgets/buttons';
import { RunConsole } from '../widgets/runConsole';
import type { Terminal } from '../widgets/terminal';
import { describeRun } from '../widgets/words';
import { openMenu } from './menus';

export interface IRunOptions {
  /** The open channel, or null while there is none. */
  channel(): Channel | null;
  /** Bring the console to the front. */
  show(): void;
  /** Save what is typed. */
  save(): Promise<void>;
  terminal: Terminal;
  trans: TranslationBundle;
}

export class RunControl {
  constructor(private readonly _options: IRunOptions) {
    this.console = new RunConsole(_options.terminal, this.runs, this, _options.trans);
    this.console.wanted.connect((_, run) => {
      const channel = this._options.channel();
      if (channel) {
        void this.console.attach(channel, run);
      }
    });
  }

  readonly runs = new Runs();
  readonly console: RunConsole;

  /** Save what is typed and run the project's command, or one file. */
  async run(path: string | null = null): Promise<void> {
    const { channel, show, save, terminal } = this._options;
    const open = channel();
    if (!open || this.runs.current || this._isStarting) {
      return;
    }
    this._isStarting = true;
    show();
    try {
      await save();
      this.runs.put(
        await open.request<IRun>('run', { ...terminal.size, ...(path === null ? {} : { path }) })
      );
      this.console.activate();
    } catch (reason) {
      this.console.refused(ReplError.from(reason).text);
    } finally {
      this._isStarting = false;
    }
  }

  /** Repeat the run that is shown. */
  runAgain(): Promise<void> {
    return this.run(this.runs.shown?.path ?? null);
  }

  stop(): void {
    const { current } = this.runs;
    if (current) {
      this._options
        .channel()
        ?.request('stopRun', { run: current.run })
        .catch(() => undefined);
    }
  }

  chooseRun(at: IPoint): void {
    const { trans } = this._options;
    const commands = new CommandRegistry();
    const menu = new MenuSvg({ commands });
    menu.title.label = trans.__('Earlier runs');
    for (const run of [...this.runs.all].reverse()) {
      const command = `show-${run.run}`;
      const time = new Date(run.started * 1000).toLocaleTimeString();
      commands.addCommand(command, {
        label: `${time}  ${run.command}  ${describeRun(run, trans)}`,
        isToggled: () => run.run === this.runs.shown?.run,
        execute: () => this.runs.show(run.run)
      });
      menu.addItem({ command });
    }
    openMenu(menu, at);
  }

  /** A channel has opened. */
  async connected(channel: Channel): Promise<void> {
    this.runs.load(channel.loaded.runs);
    const { shown } = this.runs;
    if (shown) {
      await this.console.attach(channel, shown); // also the same run: its output continues over the new channel
    }
  }

  /** True while a run was requested and not yet answered. */
  private _isStarting = false;
}
