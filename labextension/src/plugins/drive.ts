/** The projects' files in JupyterLab's own file browser, and wherever else it opens files. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { FileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DRIVE, ReplDrive } from '../api/drive';
import { replIcon } from '../widgets/icons';
import { CATEGORY, Commands } from './commands';

export const drive: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-repl:drive',
  description: 'The files of REPLs as a drive.',
  autoStart: true,
  optional: [ITranslator, ICommandPalette, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    factory: IFileBrowserFactory | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_repl');
    const { contents, serverSettings } = app.serviceManager;
    contents.addDrive(new ReplDrive(serverSettings)); // before documents of it are restored
    if (!factory) {
      return;
    }
    let browser: FileBrowser | null = null;
    app.commands.addCommand(Commands.browse, {
      label: trans.__('Browse Files of REPLs'),
      caption: trans.__('Show the projects in a file browser, running or not'),
      icon: replIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        if (!browser) {
          browser = factory.createFileBrowser('jupyter-repl-browser', { driveName: DRIVE });
          browser.title.icon = replIcon;
          browser.title.caption = trans.__('Files of REPLs');
          app.shell.add(browser, 'left', { rank: 102, type: 'File Browser' });
        }
        app.shell.activateById(browser.id);
        return browser.model.refresh();
      }
    });
    palette?.addItem({ command: Commands.browse, category: CATEGORY });
  }
};
