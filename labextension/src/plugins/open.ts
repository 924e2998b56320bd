/** Opens REPLs in tabs and restores them after a reload. Its schema holds the settings of all our plugins. */

import {
  ILabShell,
  ILayoutRestorer,
  IRouter,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { makeDrive } from '../api/drive';
import { addressOf, IProject, Server } from '../api/server';
import { onceOrAgain } from '../model/once';
import { makeKey, splitKey } from '../model/replKey';
import { templateIcon } from '../widgets/icons';
import type { ReplPanel } from '../widgets/replPanel';
import { CATEGORY, Commands } from './commands';
import { loadWorkspaces } from './preload';
import { describe, IProjectList, ProjectList } from './projectList';

export const open: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:open',
  description: 'Opens REPLs.',
  autoStart: true,
  requires: [IProjectList],
  optional: [
    ITranslator,
    ICommandPalette,
    IMainMenu,
    ILayoutRestorer,
    IThemeManager,
    IStateDB,
    ISettingRegistry,
    IStatusBar,
    ILabShell,
    IRouter
  ],
  activate: (
    app: JupyterFrontEnd,
    projects: ProjectList,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null,
    statusBar: IStatusBar | null,
    labShell: ILabShell | null,
    router: IRouter | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const tracker = new WidgetTracker<ReplPanel>({ namespace: 'jupyter-repl' });
    const browsers = new WidgetTracker({ namespace: 'jupyter-repl-browser' });
    const server = new Server(app.serviceManager.serverSettings, trans);
    app.serviceManager.contents.addDrive(makeDrive(server)); // before its documents are restored

    /** Loads the code of tabs with the first tab. */
    const workspaces = onceOrAgain(async () => {
      const { Workspaces } = await loadWorkspaces();
      return Workspaces.make({
        app,
        server,
        projects,
        tracker,
        palette,
        menu,
        themes,
        state,
        settings,
        statusBar,
        trans
      });
    });

    const projectOf = (args: ReadonlyPartialJSONObject): IProject | undefined =>
      projects.all.find(({ replId }) => replId === args.replId && !args.owner);
    app.commands.addCommand(Commands.open, {
      label: args => projectOf(args)?.title ?? trans.__('Open REPL'),
      caption: args => {
        const project = projectOf(args);
        return project ? describe(project, trans) : trans.__('Open REPL');
      },
      icon: args => templateIcon(projectOf(args)?.language ?? ''),
      describedBy: {
        args: {
          type: 'object',
          properties: { replId: { type: 'string' }, owner: { type: 'string' } },
          required: ['replId']
        }
      },
      execute: async args => {
        const key = makeKey({
          owner: (args.owner as string | undefined) ?? '',
          replId: args.replId as string
        });
        if (!labShell) {
          // Jupyter Notebook's shell shows one document, so the REPL opens in a JupyterLab window
          window.open(addressOf(key), '_blank');
          return null;
        }
        return (await workspaces()).open(key);
      }
    });
    app.commands.addCommand(Commands.browse, {
      label: trans.__('Browse Files of REPLs'),
      execute: async args => (await loadWorkspaces()).browse(app, browsers, trans, !args.again)
    });
    palette?.addItem({ command: Commands.browse, category: CATEGORY });
    app.commands.addCommand(Commands.openAddress, {
      label: trans.__('Open the REPL of the Address'),
      execute: args => {
        const query = new URLSearchParams(args.search as string);
        const wanted = { replId: query.get('repl')!, owner: query.get('owner') ?? '' };
        return app.restored.then(() => app.commands.execute(Commands.open, wanted));
      }
    });
    if (labShell) {
      router?.register({ command: Commands.openAddress, pattern: /[?&]repl=[a-z0-9-]+/ });
    }

    if (restorer) {
      void restorer.restore(tracker, {
        command: Commands.open,
        args: panel => ({ ...splitKey(panel.key) }),
        name: panel => panel.key
      });
      void restorer.restore(browsers, {
        command: Commands.browse,
        args: () => ({ again: true }),
        name: () => 'it'
      });
    }
  }
};
