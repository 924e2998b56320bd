/** The projects there are: in the Running panel those that run, on the launcher those that were made last. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { IProject, Server } from '../api/server';
import { templateIcon } from '../widgets/icons';
import { CATEGORY, Commands } from './commands';
import { loadDialogs } from './preload';

/** Cards of projects on the launcher; the rest is behind one more. */
const RECENT = 6;
/** No more often than this the server is asked, in ms. */
const REFRESH = 500;

/** The server's list, read again when something may have changed. */
export class ProjectList {
  constructor(private readonly _server: Server) {}

  get all(): readonly IProject[] {
    return this._all;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Those that use something: they run, or are about to. */
  get active(): readonly IProject[] {
    return this._all.filter(({ phase }) => phase.name === 'running' || phase.name === 'starting');
  }

  refresh(): void {
    if (!this._isWaiting) {
      this._isWaiting = true;
      setTimeout(() => void this._read().catch(() => undefined), REFRESH);
    }
  }

  async stop({ replId }: IProject): Promise<void> {
    try {
      const { stopRepl } = await loadDialogs();
      await stopRepl(this._server, replId);
    } finally {
      this.refresh(); // the list says what has become of it
    }
  }

  private async _read(): Promise<void> {
    this._isWaiting = false;
    const all = await this._server.projects();
    if (JSON.stringify(all) !== JSON.stringify(this._all)) {
      this._all = all;
      this._changed.emit();
    }
  }

  private _all: readonly IProject[] = [];
  private _isWaiting = false;
  private readonly _changed = new Signal<this, void>(this);
}

export const IProjectList = new Token<ProjectList>('jupyter-repl:IProjectList', 'The list of REPL projects.');

export const projects: JupyterFrontEndPlugin<ProjectList> = {
  id: 'jupyter-repl:projects',
  description: 'Lists REPLs.',
  autoStart: true,
  provides: IProjectList,
  optional: [ITranslator, ILauncher, IRunningSessionManagers],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    launcher: ILauncher | null,
    running: IRunningSessionManagers | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const list = new ProjectList(new Server(app.serviceManager.serverSettings, trans));
    running?.add({
      name: trans.__('REPLs'),
      running: () =>
        list.active.map(project => ({
          icon: () => templateIcon(project.language),
          label: () => project.title,
          labelTitle: () => describe(project, trans),
          open: () => void app.commands.execute(Commands.open, { replId: project.replId }),
          shutdown: () => void list.stop(project).catch(ignore)
        })),
      shutdownAll: () => list.active.forEach(project => void list.stop(project).catch(ignore)),
      refreshRunning: () => list.refresh(),
      runningChanged: list.changed,
      shutdownLabel: trans.__('Stop'),
      shutdownAllLabel: trans.__('Stop All'),
      shutdownAllConfirmationText: trans.__('Stop all REPLs? Their programs end, and their files are kept.')
    });
    let cards: IDisposable[] = [];
    list.changed.connect(() => {
      cards.forEach(card => card.dispose());
      const recent = list.all.slice(0, RECENT).map(({ replId }, index) => ({
        command: Commands.open,
        category: CATEGORY,
        args: { replId },
        rank: 100 + index
      }));
      const all = { command: Commands.manage, category: CATEGORY, rank: 200 };
      const items = recent.length ? [...recent, all] : [];
      cards = launcher ? items.map(item => launcher.add(item)) : [];
      app.commands.notifyCommandChanged(Commands.open);
    });
    app.shell.currentChanged?.connect(() => list.refresh());
    window.addEventListener('focus', () => list.refresh());
    list.refresh();
    return list;
  }
};

function ignore(): void {}

/** One line about a project. */
export function describe({ title, replId, language, phase }: IProject, trans: TranslationBundle): string {
  const name = title === replId ? title : `${title} (${replId})`;
  return trans.__('%1, %2, %3', name, language, phase.name);
}
