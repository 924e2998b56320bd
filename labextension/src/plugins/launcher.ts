/** A card per template in the launcher, an entry in File > New and in the palette, and the dialog behind them. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ITemplate, Rest } from '../api/rest';
import { ReplError } from '../model/messages';
import { replIcon, templateIcon } from '../widgets/icons';
import { CATEGORY, Commands } from './commands';
import { preload } from './lazy';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:launcher',
  description: 'Makes REPLs from templates.',
  autoStart: true,
  optional: [ITranslator, ILauncher, IMainMenu, ICommandPalette],
  activate: async (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    launcher: ILauncher | null,
    menu: IMainMenu | null,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const rest = new Rest(serviceManager.serverSettings);
    const known = new Map<string, ITemplate>();

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
        return template && !template.available ? template.hint : trans.__('Make a REPL');
      },
      icon: args => (args.isPalette ? undefined : iconOf(known.get(args.language as string))),
      describedBy: {
        args: { type: 'object', properties: { language: { type: 'string' } } }
      },
      execute: async args => {
        try {
          const templates = await rest.templates();
          const { createRepl } = await import('../widgets/createDialog');
          const stopLoading = preload();
          const language = (args.language as string) ?? templates[0]?.language;
          const create = (replId: string, language: string): Promise<unknown> =>
            rest.create(replId, language);
          const replId = await createRepl({ templates, language, trans, create });
          stopLoading();
          return replId && commands.execute(Commands.open, { replId });
        } catch (reason) {
          return showErrorMessage(trans.__('No REPL can be made now'), ReplError.from(reason).text);
        }
      }
    });

    palette?.addItem({ command: Commands.create, category: CATEGORY, args: { isPalette: true } });
    const templates = await rest.templates().catch(() => null);
    if (!templates) {
      // the reason is told by the dialog, for which there has to be a card
      launcher?.add({ command: Commands.create, category: CATEGORY, args: { isCard: true } });
    }
    templates?.forEach((template, rank) => {
      const { language } = template;
      known.set(language, template);
      launcher?.add({ command: Commands.create, category: CATEGORY, args: { language, isCard: true }, rank });
      menu?.fileMenu.newMenu.addItem({ command: Commands.create, args: { language }, rank: 50 + rank });
      palette?.addItem({ command: Commands.create, category: CATEGORY, args: { language, isPalette: true } });
    });
    commands.notifyCommandChanged(Commands.create);
  }
};

function iconOf(template: ITemplate | undefined): typeof replIcon {
  return template ? templateIcon(template.icon) : replIcon;
}
