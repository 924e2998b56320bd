/**
 * The menu of an inner tab: a file's view, or a terminal.
 *
 * It replaces JupyterLab's own menu of tabs, whose selector matches inner tabs too. JupyterLab's *Close Tab* would
 * close the whole REPL, and its *Close All Tabs* would close all tabs of JupyterLab.
 */

import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import type { DockPanel, TabBar, Widget } from '@lumino/widgets';
import { Terminal } from '../widgets/terminal';
import { openMenu } from './menus';
import { pathOf } from './views';
import type { Workspace } from './workspace';

/** A label and what it does; null: a line between groups. */
type Item = [label: string, run: () => void] | null;

/** @returns a function that stops this */
export function followTabMenus(workspace: Workspace, trans: TranslationBundle): () => void {
  const { node, editors, side } = workspace.panel;
  const onMenu = (event: MouseEvent): void => {
    const tab = (event.target as Element).closest('.jp-Repl-panes .lm-DockPanel-tabBar .lm-TabBar-tab');
    if (!tab) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    for (const dock of [editors, side]) {
      for (const bar of dock.tabBars()) {
        const index = [...bar.contentNode.children].indexOf(tab);
        if (index >= 0) {
          open(itemsOf(workspace, dock, bar, index, trans), event);
        }
      }
    }
  };
  node.addEventListener('contextmenu', onMenu, true);
  return () => node.removeEventListener('contextmenu', onMenu, true);
}

function itemsOf(
  workspace: Workspace,
  dock: DockPanel,
  bar: TabBar<Widget>,
  index: number,
  trans: TranslationBundle
): Item[] {
  const close = (widgets: Widget[]): void => widgets.forEach(widget => widget.close());
  const closable = (titles: readonly TabBar<Widget>['titles'][number][]): Widget[] =>
    titles.filter(title => title.closable).map(title => title.owner);
  const title = bar.titles[index];
  const others = closable(bar.titles.filter(other => other !== title));
  const right = closable(bar.titles.slice(index + 1));
  const widget = title.owner;
  const items: Item[] = title.closable ? [[trans.__('Close'), () => close([widget])]] : [];
  if (others.length) {
    items.push([trans.__('Close Others'), () => close(others)]);
  }
  if (right.length) {
    items.push([trans.__('Close to the Right'), () => close(right)]);
  }
  if (widget instanceof Terminal) {
    items.push(null, [trans.__('New Terminal'), () => void workspace.newTerminal()]);
  }
  const path = pathOf(widget);
  if (path) {
    const { documents, tree } = workspace;
    const split = (where: 'right' | 'bottom'): void => {
      dock.selectWidget(widget);
      widget.activate();
      documents.split(where);
    };
    const reveal = async (): Promise<void> => {
      workspace.focus('tree');
      await tree.reveal(path);
    };
    items.push(
      null,
      [trans.__('Split Right'), () => split('right')],
      [trans.__('Split Down'), () => split('bottom')],
      null,
      [trans.__('Copy Path'), () => Clipboard.copyToSystem(path)],
      [trans.__('Show in the Files'), () => void reveal()],
      [trans.__('Rename…'), () => void reveal().then(() => tree.startRename(path))]
    );
  }
  return items;
}

function open(items: Item[], { clientX: x, clientY: y }: MouseEvent): void {
  if (!items.length) {
    return;
  }
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  items.forEach((item, index) => {
    if (item) {
      const [label, execute] = item;
      commands.addCommand(String(index), { label, execute });
      menu.addItem({ command: String(index) });
    } else {
      menu.addItem({ type: 'separator' });
    }
  });
  openMenu(menu, { x, y });
}
