/** A card per template in the launcher, an entry in File > New and in the palette, and the dialogs behind them. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ITemplate, Server } from '../api/server';
import { ReplError } from '../model/messages';
import { replIcon, templateIcon } from '../widgets/icons';
import { CATEGORY, Commands } from './commands';
import { loadDialogs, preload } from './preload';
import { IProjectList, ProjectList } from './projectList';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:launcher',
  description: 'Makes REPLs.',
  autoStart: true,
  requires: [IProjectList],
  optional: [ITranslator, ILauncher, IMainMenu, ICommandPalette],
  activate: async (
    app: JupyterFrontEnd,
    projects: ProjectList,
    translator: ITranslator | null,
    launcher: ILauncher | null,
    menu: IMainMenu | null,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const server = new Server(serviceManager.serverSettings, trans);
    const known = new Map<string, ITemplate>();
    const args = { type: 'object', properties: { language: { type: 'string' } } };

    /** Ask for a name and create a REPL from a template or a zip. Its tab takes the launcher's place. */
    const make = async (language: string, archive?: File): Promise<unknown> => {
      try {
        const templates = await server.templates();
        const { makeRepl } = await loadDialogs();
        const stopLoading = preload();
        const replId = await makeRepl({ server, templates, language, archive });
        stopLoading();
        projects.refresh();
        return replId && commands.execute(Commands.open, { replId });
      } catch (reason) {
        return showErrorMessage(trans.__('A REPL can’t be created now'), ReplError.from(reason).text);
      }
    };

    commands.addCommand(Commands.create, {
      label: args => {
        const label = known.get(args.language as string)?.label;
        if (!label) {
          return trans.__('New REPL…');
        }
        return args.isCard ? label : trans.__('New REPL: %1…', label);
      },
      caption: args => {
        const template = known.get(args.language as string);
        const hint = template && !template.available ? template.hint : '';
        return hint || trans.__('Create a REPL, or drop a zip here to create one from it');
      },
      icon: args => (args.isPalette ? undefined : iconOf(known.get(args.language as string))),
      describedBy: { args },
      execute: args => make((args.language as string) ?? [...known.keys()][0])
    });
    commands.addCommand(Commands.import, {
      label: trans.__('New REPL from a Zip…'),
      execute: async () => {
        const { chooseZip } = await loadDialogs();
        const file = await chooseZip();
        return file && make('', file);
      }
    });
    commands.addCommand(Commands.manage, {
      label: trans.__('All REPLs…'),
      caption: trans.__('Resume, stop, download and delete REPLs'),
      icon: replIcon,
      execute: async () => {
        const { manageRepls } = await loadDialogs();
        await manageRepls({ server, projects, commands });
      }
    });

    for (const command of [Commands.create, Commands.import, Commands.manage]) {
      palette?.addItem({ command, category: CATEGORY, args: { isPalette: true } });
    }
    const templates = await server.templates().catch(() => null);
    if (!templates) {
      // this card opens the dialog that gives the reason
      launcher?.add({ command: Commands.create, category: CATEGORY, args: { isCard: true } });
    }
    templates?.forEach((template, rank) => {
      const { language } = template;
      known.set(language, template);
      launcher?.add({ command: Commands.create, category: CATEGORY, args: { language, isCard: true }, rank });
      menu?.fileMenu.newMenu.addItem({ command: Commands.create, args: { language }, rank: 50 + rank });
      palette?.addItem({ command: Commands.create, category: CATEGORY, args: { language, isPalette: true } });
    });
    menu?.fileMenu.newMenu.addItem({ command: Commands.import, rank: 69 });
    commands.notifyCommandChanged(Commands.create);
    // JupyterLab's launcher draws the cards, so drags over them are observed on the whole page
    const begin = ({ target }: DragEvent): void => {
      if ((target as Element).closest?.('.jp-LauncherCard')) {
        document.removeEventListener('dragenter', begin);
        const take = (label: string, file: File): unknown =>
          make([...known.values()].find(template => template.label === label)?.language ?? '', file);
        void loadDialogs().then(({ takeZips }) => takeZips(take));
      }
    };
    document.addEventListener('dragenter', begin);
  }
};

function iconOf(template: ITemplate | undefined): typeof replIcon {
  return template ? templateIcon(template.icon) : replIcon;
}
