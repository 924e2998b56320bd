/** The commands of the tab in front, and the menu of the menu bar. Registered when the first tab opens. */

import { Clipboard } from '@jupyterlab/apputils';
import { addIcon, deleteIcon, downloadIcon, editIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import { addressOf } from '../api/rest';
import { powerIcon } from '../widgets/icons';
import { previewOf } from '../widgets/viewer';
import { CATEGORY, Commands } from './commands';
import { ALL, makeMenu } from './menus';
import type { IAction, IActionOptions } from './action';
import { ofTree } from './treeActions';
import { TEXT } from './views';
import type { Workspace } from './workspace';

export function addActions(options: IActionOptions): void {
  const { app, palette, menu, current, trans } = options;
  const { commands } = app;
  for (const [id, action] of Object.entries({
    ...ofTab(options),
    ...ofEditor(options),
    ...ofTree(options)
  })) {
    const isEnabled = (): boolean => {
      const workspace = current();
      return workspace !== null && (action.isEnabled?.(workspace) ?? true);
    };
    commands.addCommand(id, {
      label: action.label,
      caption: action.caption ?? action.label,
      icon: action.icon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled,
      execute: () => {
        const workspace = current();
        return workspace && action.run(workspace);
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

function ofTab({ rename, remove, trans }: IActionOptions): Record<string, IAction> {
  return {
    [Commands.run]: {
      label: trans.__('Run Project'),
      icon: runIcon,
      isEnabled: ({ runs }) => runs.runs.current === null,
      run: ({ runs }) => runs.run()
    },
    [Commands.runAgain]: {
      label: trans.__('Run Again'),
      isEnabled: ({ runs }) => runs.runs.shown !== null && runs.runs.current === null,
      run: ({ runs }) => runs.runAgain()
    },
    [Commands.stopRun]: {
      label: trans.__('Stop Program'),
      icon: stopIcon,
      isEnabled: ({ runs }) => runs.runs.current !== null,
      run: ({ runs }) => runs.stop()
    },
    [Commands.newTerminal]: {
      label: trans.__('New REPL Terminal'),
      icon: addIcon,
      run: workspace => workspace.newTerminal()
    },
    [Commands.save]: { label: trans.__('Save All Files of the REPL'), run: workspace => workspace.save() },
    [Commands.rename]: { label: trans.__('Rename REPL…'), icon: editIcon, run: rename },
    [Commands.copyAddress]: {
      label: trans.__('Copy Address of the REPL'),
      run: ({ replId }) => Clipboard.copyToSystem(addressOf(replId))
    },
    [Commands.download]: {
      label: trans.__('Download Project as Zip'),
      icon: downloadIcon,
      run: ({ tree, files }) => {
        tree.selection.clear();
        files.download();
      }
    },
    [Commands.delete]: { label: trans.__('Delete REPL…'), icon: deleteIcon, run: remove },
    [Commands.togglePower]: {
      label: trans.__('Stop or Start REPL'),
      icon: powerIcon,
      run: workspace => workspace.togglePower()
    },
    [Commands.focusTree]: { label: trans.__('Go to the Files'), run: workspace => workspace.focus('tree') },
    [Commands.focusEditor]: {
      label: trans.__('Go to the Editor'),
      run: workspace => workspace.focus('editors')
    },
    [Commands.focusConsole]: {
      label: trans.__('Go to the Console'),
      run: workspace => workspace.focus('console')
    },
    [Commands.focusTerminal]: {
      label: trans.__('Go to the Terminal'),
      run: workspace => workspace.focus('side')
    },
    [Commands.toggleTree]: {
      label: trans.__('Show or Hide the Files'),
      run: ({ panel }) => panel.content.toggle('tree')
    },
    [Commands.toggleSide]: {
      label: trans.__('Show or Hide Console and Terminals'),
      run: ({ panel }) => panel.content.toggle('side')
    }
  };
}

function ofEditor({ app, trans }: IActionOptions): Record<string, IAction> {
  const isEditor = ({ documents }: Workspace): boolean => documents.editor !== null;
  const preview = ({ documents }: Workspace): string | null => previewOf(documents.active, app.docRegistry);
  return {
    [Commands.runFile]: {
      label: trans.__('Run Current File'),
      icon: runIcon,
      isEnabled: workspace => isEditor(workspace) && workspace.runs.runs.current === null,
      run: ({ runs, documents }) => runs.run(documents.active)
    },
    [Commands.splitRight]: {
      label: trans.__('Split Editor Right'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.split('right')
    },
    [Commands.splitDown]: {
      label: trans.__('Split Editor Down'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.split('bottom')
    },
    [Commands.closeFile]: {
      label: trans.__('Close File'),
      isEnabled: ({ documents }) => documents.active !== '',
      run: ({ documents }) => documents.closeActive()
    },
    [Commands.preview]: {
      label: trans.__('Show Preview of the File'),
      isEnabled: workspace => isEditor(workspace) && preview(workspace) !== null,
      run: workspace =>
        workspace.documents.open(workspace.documents.active, {
          renderer: preview(workspace)!,
          split: 'right',
          focus: false
        })
    },
    [Commands.edit]: {
      label: trans.__('Open File as Text'),
      isEnabled: workspace => !isEditor(workspace) && workspace.documents.active !== '',
      run: ({ documents }) => documents.open(documents.active, { renderer: TEXT })
    },
    [Commands.find]: {
      label: trans.__('Find in the File'),
      isEnabled: isEditor,
      run: ({ documents }) => documents.editor?.run('actions.find')
    }
  };
}
