/** The commands of a terminal: the console's if it has the focus, otherwise the shell's that was used last. */

import { copyIcon, pasteIcon, searchIcon } from '@jupyterlab/ui-components';
import type { Terminal } from '../widgets/terminal';
import type { IAction, IActionOptions } from './action';
import { TabCommands } from './tabCommands';
import type { Workspace } from './workspace';

function terminalOf({ runs, terminals }: Workspace): Terminal | null {
  const { terminal } = runs.console;
  return terminal.node.contains(document.activeElement) ? terminal : terminals.active;
}

export function ofTerminal({ trans }: IActionOptions): Record<string, IAction> {
  return {
    [TabCommands.terminalCopy]: {
      label: trans.__('Copy from the Terminal'),
      icon: copyIcon,
      isEnabled: workspace => terminalOf(workspace)?.hasSelection ?? false,
      run: workspace => terminalOf(workspace)?.copy()
    },
    [TabCommands.terminalPaste]: {
      label: trans.__('Paste into the Terminal'),
      icon: pasteIcon,
      // A page without HTTPS can't read the clipboard. The shortcut still works there, because the browser pastes.
      isEnabled: workspace => terminalOf(workspace) !== null && 'readText' in (navigator.clipboard ?? {}),
      run: async workspace => {
        const terminal = terminalOf(workspace); // chosen before the browser asks for permission
        terminal?.paste(await navigator.clipboard.readText());
      }
    },
    [TabCommands.terminalSelectAll]: {
      label: trans.__('Select All of the Terminal'),
      isEnabled: workspace => terminalOf(workspace) !== null,
      run: workspace => terminalOf(workspace)?.selectAll()
    },
    [TabCommands.terminalFind]: {
      label: trans.__('Find in the Terminal'),
      icon: searchIcon,
      isEnabled: workspace => terminalOf(workspace) !== null,
      run: workspace => terminalOf(workspace)?.find()
    },
    [TabCommands.terminalClear]: {
      label: trans.__('Clear the Terminal'),
      isEnabled: workspace => terminalOf(workspace) !== null,
      run: workspace => terminalOf(workspace)?.clear()
    }
  };
}
