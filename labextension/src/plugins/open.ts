/** Opens REPLs in tabs, restores them after a reload, and offers the commands of the tab in front. */

import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import { Rest } from '../api/rest';
import { powerIcon, replIcon } from '../widgets/icons';
import type { ReplPanel } from '../widgets/replPanel';
import { CATEGORY, Commands } from './commands';
import { loadWorkspace } from './lazy';
import type { Workspace } from './workspace';

export const open: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:open',
  description: 'Opens REPLs in tabs and restores them.',
  autoStart: true,
  optional: [ITranslator, ICommandPalette, ILayoutRestorer, IThemeManager, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    state: IStateDB | null
  ) => {
    const { commands, shell, serviceManager } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const tracker = new WidgetTracker<ReplPanel>({ namespace: 'jupyter-repl' });
    const workspaces = new Map<string, Workspace>();
    const rest = new Rest(serviceManager.serverSettings);

    commands.addCommand(Commands.open, {
      label: trans.__('Open REPL'),
      icon: replIcon,
      describedBy: {
        args: { type: 'object', properties: { replId: { type: 'string' } }, required: ['replId'] }
      },
      execute: async args => {
        const replId = args.replId as string;
        const known = workspaces.get(replId);
        if (known) {
          shell.activateById(known.panel.id);
          return known.panel;
        }
        const { Workspace } = await loadWorkspace();
        const workspace = new Workspace({ replId, rest, state, themes, trans });
        const { panel } = workspace;
        panel.title.icon = replIcon;
        workspaces.set(replId, workspace);
        panel.disposed.connect(() => workspaces.delete(replId));
        shell.add(panel, 'main', { type: 'REPL' });
        await tracker.add(panel);
        return panel;
      }
    });

    const current = (): Workspace | null => {
      const panel = tracker.currentWidget;
      return panel && panel === shell.currentWidget ? (workspaces.get(panel.replId) ?? null) : null;
    };
    const offer = (
      id: string,
      label: string,
      icon: typeof runIcon | undefined,
      execute: (workspace: Workspace) => unknown
    ): void => {
      commands.addCommand(id, {
        label,
        icon,
        describedBy: { args: { type: 'object', properties: {} } },
        isEnabled: () => current() !== null,
        execute: () => {
          const workspace = current();
          return workspace && execute(workspace);
        }
      });
      palette?.addItem({ command: id, category: CATEGORY });
    };
    offer(Commands.run, trans.__('Run Project'), runIcon, workspace => workspace.run());
    offer(Commands.stopRun, trans.__('Stop Program'), stopIcon, workspace => workspace.stopRun());
    offer(Commands.newTerminal, trans.__('New REPL Terminal'), addIcon, workspace => workspace.newTerminal());
    offer(Commands.save, trans.__('Save All Files of the REPL'), undefined, workspace => workspace.save());
    offer(Commands.togglePower, trans.__('Stop or Start REPL'), powerIcon, workspace =>
      workspace.togglePower()
    );
    shell.currentChanged?.connect(() => commands.notifyCommandChanged());

    if (restorer) {
      void restorer.restore(tracker, {
        command: Commands.open,
        args: panel => ({ replId: panel.replId }),
        name: panel => panel.replId
      });
    }
  }
};
