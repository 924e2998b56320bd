/** Menus and buttons of the tab, out of our commands. */

import { MenuSvg, Toolbar } from '@jupyterlab/ui-components';
import { CommandToolbarButton } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import type { IPoint } from '../widgets/replPanel';
import { Commands } from './commands';

/** null: a line between groups. */
type Items = readonly (string | null)[];

const RUN: Items = [Commands.run, Commands.runFile, Commands.runAgain, null, Commands.stopRun];
const VIEW: Items = [
  Commands.focusTree,
  Commands.focusEditor,
  Commands.focusConsole,
  Commands.focusTerminal,
  null,
  Commands.splitRight,
  Commands.splitDown,
  Commands.preview,
  Commands.toggleTree,
  Commands.toggleSide
];
const PROJECT: Items = [Commands.rename, Commands.download, Commands.togglePower, Commands.delete];

/** Everything, for the menu bar. */
export const ALL: Items = [
  ...RUN,
  null,
  Commands.save,
  Commands.newTerminal,
  Commands.closeFile,
  null,
  ...VIEW,
  null,
  ...PROJECT,
  Commands.manage
];

export function makeMenu(commands: CommandRegistry, items: Items): MenuSvg {
  const menu = new MenuSvg({ commands });
  items.forEach(command => menu.addItem(command ? { command } : { type: 'separator' }));
  return menu;
}

export function openRunMenu(commands: CommandRegistry, at: IPoint): void {
  openMenu(makeMenu(commands, RUN), at);
}

export function openMoreMenu(commands: CommandRegistry, at: IPoint): void {
  openMenu(makeMenu(commands, [...VIEW, null, ...PROJECT]), at);
}

/** A menu that is made for this once. */
export function openMenu(menu: MenuSvg, { x, y }: IPoint): void {
  menu.aboutToClose.connect(() => setTimeout(() => menu.dispose()));
  menu.open(x, y);
}

/** The buttons at the right of the tree's title. */
export function treeButtons(commands: CommandRegistry): Widget {
  const toolbar = new Toolbar();
  toolbar.addClass('jp-Repl-treeButtons');
  for (const id of [Commands.newFile, Commands.newFolder, Commands.treeUpload, Commands.treeCollapse]) {
    toolbar.addItem(id, new CommandToolbarButton({ commands, id, label: '' }));
  }
  return toolbar;
}
