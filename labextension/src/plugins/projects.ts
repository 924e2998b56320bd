/** Lists projects: the running ones in the Running panel, and the newest ones on the launcher. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Server } from '../api/server';
import { templateIcon } from '../widgets/icons';
import { CATEGORY, Commands } from './commands';
import { loadDialogs } from './preload';
import { describe, IProjectList, ProjectList } from './projectList';

/** How many projects have a card on the launcher. One more card opens the list of all. */
const RECENT = 6;
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
    const server = new Server(app.serviceManager.serverSettings, trans);
    const list = new ProjectList(server, async replId => (await loadDialogs()).stopRepl(server, replId));
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
