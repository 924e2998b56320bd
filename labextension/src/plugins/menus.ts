/** The menus and buttons of a tab, made from our commands. */

import { LabIcon, MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { IPoint, makeIconButton } from '../widgets/buttons';
import { Commands } from './commands';
import { FOR_VISITORS, TabCommands } from './tabCommands';

/** null: a line between groups. */
type Items = readonly (string | null)[];

const RUN: Items = [TabCommands.run, TabCommands.runFile, TabCommands.runAgain, null, TabCommands.stopRun];
const VIEW: Items = [
  TabCommands.focusTree,
  TabCommands.focusEditor,
  TabCommands.focusConsole,
  TabCommands.focusTerminal,
  null,
  TabCommands.splitRight,
  TabCommands.splitDown,
  TabCommands.preview,
  TabCommands.toggleTree,
  TabCommands.toggleSide
];
const PROJECT: Items = [
  TabCommands.rename,
  TabCommands.copyAddress,
  TabCommands.download,
  TabCommands.recover,
  TabCommands.togglePower,
  TabCommands.delete
];

/** Everything, for the menu bar. */
export const ALL: Items = [
  ...RUN,
  null,
  TabCommands.save,
  TabCommands.closeFile,
  null,
  TabCommands.newTerminal,
  TabCommands.terminalFind,
  TabCommands.terminalClear,
  null,
  ...VIEW,
  null,
  ...PROJECT,
  Commands.manage,
  Commands.browse
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

/** Open a menu, and dispose of it when it closes. */
export function openMenu(menu: MenuSvg, { x, y }: IPoint): void {
  menu.aboutToClose.connect(() => setTimeout(() => menu.dispose()));
  menu.open(x, y);
}

/** The buttons at the right of the tree's title. @param isVisit - only those that change nothing */
export function treeButtons(commands: CommandRegistry, isVisit: boolean): HTMLElement[] {
  const ids = [TabCommands.newFile, TabCommands.newFolder, TabCommands.treeUpload, TabCommands.treeCollapse];
  const shown = isVisit ? ids.filter(id => FOR_VISITORS.has(id)) : ids;
  return shown.map(id => {
    const icon = commands.icon(id) as LabIcon;
    return makeIconButton(commands.label(id), icon, () => void commands.execute(id));
  });
}
