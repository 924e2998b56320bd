/** The commands of the tab in front, and the menu of the menu bar. Registered when the first tab opens. */

import { Clipboard } from '@jupyterlab/apputils';
import { addIcon, deleteIcon, downloadIcon, editIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import { addressOf } from '../api/server';
import { powerIcon } from '../widgets/buttons';
import { previewOf } from '../widgets/viewer';
import { CATEGORY } from './commands';
import { ALL, makeMenu } from './menus';
import type { IAction, IActionOptions } from './action';
import { recoverDeleted } from './recover';
import { ofTerminal } from './terminalActions';
import { ofTree } from './treeActions';
import { FOR_VISITORS, TabCommands } from './tabCommands';
import { TEXT } from './views';
import type { Workspace } from './workspace';

export function addActions(options: IActionOptions): void {
  const { app, palette, menu, current, trans } = options;
  const { commands } = app;
  for (const [id, action] of Object.entries({
    ...ofTab(options),
    ...ofEditor(options),
    ...ofTree(options),
    ...ofTerminal(options)
  })) {
    const isAllowed = (workspace: Workspace | null): workspace is Workspace =>
      workspace !== null && (!workspace.isVisit || FOR_VISITORS.has(id));
    const isEnabled = (): boolean => {
      const workspace = current();
      return isAllowed(workspace) && (action.isEnabled?.(workspace) ?? true);
    };
    commands.addCommand(id, {
      label: action.label,
      caption: action.caption ?? action.label,
      icon: action.icon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled,
      execute: () => {
        const workspace = current();
        return isAllowed(workspace) ? action.run(workspace) : null;
      }
    });
    palette?.addItem({ command: id, category: CATEGORY });
  }
  if (menu) {
    const made = makeMenu(commands, ALL);
    made.id = 'jp-mainmenu-repl';
    made.title.label = trans.__('REPL');
    menu.addMenu(made, true, { rank: 60 });
  }
  app.shell.currentChanged?.connect(() => commands.notifyCommandChanged());
}

function ofTab({ rest, rename, remove, trans }: IActionOptions): Record<string, IAction> {
  return {
    [TabCommands.run]: {
      label: trans.__('Run Project'),
      icon: runIcon,
      isEnabled: ({ runs }) => runs.runs.current === null,
      run: ({ runs }) => runs.run()
    },
    [TabCommands.runAgain]: {
      label: trans.__('Run Again'),
      isEnabled: ({ runs }) => runs.runs.shown !== null && runs.runs.current === null,
      run: ({ runs }) => runs.runAgain()
    },
    [TabCommands.stopRun]: {
      label: trans.__('Stop Program'),
      icon: stopIcon,
      isEnabled: ({ runs }) => runs.runs.current !== null,
      run: ({ runs }) => runs.stop()
    },
    [TabCommands.newTerminal]: {
      label: trans.__('New REPL Terminal'),
      icon: addIcon,
      run: workspace => workspace.newTerminal()
    },
    [TabCommands.save]: { label: trans.__('Save All Files of the REPL'), run: workspace => workspace.save() },
    [TabCommands.recover]: {
      label: trans.__('Restore Deleted Files…'),
      run: ({ key }) => recoverDeleted(rest, key, trans)
    },
    [TabCommands.rename]: { label: trans.__('Rename REPL…'), icon: editIcon, run: rename },
    [TabCommands.copyAddress]: {
      label: trans.__('Copy Address of the REPL'),
      run: ({ key }) => Clipboard.copyToSystem(addressOf(key))
    },
    [TabCommands.download]: {
      label: trans.__('Download Project as Zip'),
      icon: downloadIcon,
      run: ({ tree, files }) => {
        tree.selection.clear();
        files.download();
      }
    },
    [TabCommands.delete]: { label: trans.__('Delete REPL…'), icon: deleteIcon, run: remove },
    [TabCommands.togglePower]: {
      label: trans.__('Stop or Start REPL'),
      icon: powerIcon,
      run: workspace => workspace.togglePower()
    },
    [TabCommands.focusTree]: {
      label: trans.__('Go to the Files'),
      run: workspace => workspace.focus('tree')
    },
    [TabCommands.focusEditor]: {
      label: trans.__('Go to the Editor'),
      run: workspace => workspace.focus('editors')
    },
    [TabCommands.focusConsole]: {
      label: trans.__('Go to the Console'),
      run: workspace => workspace.focus('console')
    },
    [TabCommands.focusTerminal]: {
      label: trans.__('Go to the Terminal'),
      run: workspace => workspace.focus('side')
    },
    [TabCommands.toggleTree]: {
      label: trans.__('Show or Hide the Files'),
      run: ({ panel }) => panel.content.toggle('tree')
    },
    [TabCommands.toggleSide]: {
      label: trans.__('Show or Hide Console and Terminals'),
      run: ({ panel }) => panel.content.toggle('side')
    }
  };
}

function ofEditor({ app, trans }: IActionOptions): Record<string, IAction> {
  const isEditor = ({ documents }: Workspace): boolean => documents.editor !== null;
  const preview = ({ documents }: Workspace): string | null => previewOf(documents.active, app.docRegistry);
  return {
    [TabCommands.runFile]: {
      label: trans.__('Run Current File'),
      icon: runIcon,
      isEnabled: workspace => isEditor(workspace) && workspace.runs.runs.current === null,
      run: ({ runs, documents }) => runs.run(documents.active)
    },
    [TabCommands.splitRight]: {
      label: trans.__('Split Editor Right'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.split('right')
    },
    [TabCommands.splitDown]: {
      label: trans.__('Split Editor Down'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.split('bottom')
    },
    [TabCommands.closeFile]: {
      label: trans.__('Close File'),
      isEnabled: ({ documents }) => documents.active !== '',
      run: ({ documents }) => documents.closeActive()
    },
    [TabCommands.preview]: {
      label: trans.__('Show Preview of the File'),
      isEnabled: workspace => isEditor(workspace) && preview(workspace) !== null,
      run: workspace =>
        workspace.documents.open(workspace.documents.active, {
          renderer: preview(workspace)!,
          split: 'right',
          focus: false
        })
    },
    [TabCommands.edit]: {
      label: trans.__('Open File as Text'),
      isEnabled: workspace => !isEditor(workspace) && workspace.documents.active !== '',
      run: ({ documents }) => documents.open(documents.active, { renderer: TEXT })
    },
    [TabCommands.find]: {
      label: trans.__('Find in the File'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.editor?.run('actions.find')
    }
  };
}
