/** Opens REPLs in tabs, restores them after a reload, and lists them in the Running panel. */

import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Rest } from '../api/rest';
import { replIcon } from '../widgets/icons';
import type { ReplPanel } from '../widgets/replPanel';
import { Commands } from './commands';
import { loadWorkspace } from './lazy';
import type { Workspaces } from './workspaces';

export const open: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:open',
  description: 'Opens REPLs in tabs and restores them.',
  autoStart: true,
  optional: [
    ITranslator,
    ICommandPalette,
    IMainMenu,
    ILayoutRestorer,
    IThemeManager,
    IStateDB,
    ISettingRegistry,
    IStatusBar
  ],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null,
    statusBar: IStatusBar | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const tracker = new WidgetTracker<ReplPanel>({ namespace: 'jupyter-repl' });
    const rest = new Rest(app.serviceManager.serverSettings);
    let opening: Promise<Workspaces> | null = null;

    /** What a tab needs comes with the first one. */
    const workspaces = (): Promise<Workspaces> =>
      (opening ??= loadWorkspace().then(async ({ Workspaces }) => {
        const options = { app, rest, tracker, palette, menu, themes, state, settings, statusBar, trans };
        return Workspaces.make(options);
      }));

    app.commands.addCommand(Commands.open, {
      label: trans.__('Open REPL'),
      icon: replIcon,
      describedBy: {
        args: { type: 'object', properties: { replId: { type: 'string' } }, required: ['replId'] }
      },
      execute: async args => (await workspaces()).open(args.replId as string)
    });

    if (restorer) {
      void restorer.restore(tracker, {
        command: Commands.open,
        args: panel => ({ replId: panel.replId }),
        name: panel => panel.replId
      });
    }
  }
};
