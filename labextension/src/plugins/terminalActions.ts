/** The commands of the terminal that has the keys, or had them last: a shell's, or the console's. */

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
      // a page at an insecure address can't read the clipboard; there the key does, since the browser pastes
      isEnabled: workspace => terminalOf(workspace) !== null && 'readText' in (navigator.clipboard ?? {}),
      run: async workspace => {
        const terminal = terminalOf(workspace); // before the browser asks whether it may
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
