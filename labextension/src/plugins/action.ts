/** The parts of a command that acts on the tab in front. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IMainMenu } from '@jupyterlab/mainmenu';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Rest } from '../api/rest';
import type { Workspace } from './workspace';

export interface IAction {
  label: string;
  caption?: string;
  icon?: LabIcon;
  /** An additional condition: a REPL has to be in front in any case. */
  isEnabled?(workspace: Workspace): boolean;
  run(workspace: Workspace): unknown;
}

export interface IActionOptions {
  app: JupyterFrontEnd;
  palette: ICommandPalette | null;
  menu: IMainMenu | null;
  rest: Rest;
  /** The tab in front; null if it is not a REPL's. */
  current(): Workspace | null;
  rename(workspace: Workspace): unknown;
  remove(workspace: Workspace): unknown;
  trans: TranslationBundle;
}
