/** Saves the layout inside a tab in JupyterLab's state, and so in its workspaces, to restore it after a reload. */

import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { later, Timer } from '../model/timer';
import type { IPlace } from '../widgets/editor';
import type { IPaneLayout } from '../widgets/panes';
import type { ReplPanel } from '../widgets/replPanel';
import { Terminal } from '../widgets/terminal';
import type { Tree } from '../widgets/tree';
import { PackedArea, packDock, unpackDock } from './dockLayout';
import type { Documents } from './documents';
import type { RunControl } from './runs';
import type { Terminals } from './terminals';

export interface ILayout {
  version: 2;
  panes: IPaneLayout;
  /** The arrangement of the open files, the file in front, and the positions in the files. */
  editors: PackedArea | null;
  active: string;
  places: [string, IPlace][];
  /** The arrangement of console and terminals. The key of a terminal is its number. */
  side: PackedArea | null;
  /** Paths of open folders. */
  expanded: string[];
}

/** The parts of a tab that a layout arranges. */
export interface IArranged {
  readonly panel: ReplPanel;
  readonly tree: Tree;
  readonly documents: Documents;
  readonly terminals: Terminals;
  readonly runs: RunControl;
}

/** The layout of the tab now. */
export function readLayout({ panel, tree, documents, runs }: IArranged): ILayout {
  const { dock, places, active } = documents.layout;
  const side = packDock(panel.side, widget =>
    widget === runs.console ? CONSOLE : widget instanceof Terminal ? widget.number : null
  );
  const { expanded } = tree.model;
  return { version: 2, panes: panel.content.layoutState, editors: dock, active, places, side, expanded };
}

/** Restore the layout of a tab. Its terminals have to exist already. */
export function restoreLayout({ panel, documents, terminals, runs }: IArranged, layout: ILayout): void {
  panel.content.layoutState = layout.panes;
  if (layout.side) {
    unpackDock(panel.side, layout.side, key =>
      key === CONSOLE ? runs.console : terminals.byNumber(Number(key))
    );
  }
  if (layout.editors) {
    documents.restore(layout.editors, layout.places, layout.active);
  }
}

const CONSOLE = 'console';
const SAVE_DELAY = 200;

export class LayoutKeeper {
  /** @param layout - returns the layout to save; called at each save */
  constructor(
    private readonly _state: IStateDB | null,
    key: string,
    layout: () => ILayout
  ) {
    // Not in the widget tracker's namespace: a tracker that restores removes all keys there that are not its own.
    this._key = `jupyter-repl-layout:${key}`;
    this._save = () => void _state?.save(this._key, layout() as unknown as ReadonlyJSONObject);
  }

  /** Resolves to the saved layout; null if there is none of this version. From then on changes are saved. */
  async load(): Promise<ILayout | null> {
    const kept = (await this._state?.fetch(this._key).catch(() => undefined)) as unknown as
      ILayout | undefined;
    this._isLoaded = true;
    return kept?.version === 2 ? kept : null;
  }

  /** Save a change. Does nothing before `load`, because the tab is still being built then. */
  saveSoon(): void {
    if (this._isLoaded) {
      this._timer.set(this._save, SAVE_DELAY);
    }
  }

  dispose(): void {
    this._isLoaded = false;
    this._timer.cancel();
  }

  private readonly _key: string;
  private readonly _save: () => void;
  private readonly _timer = new Timer(later);
  private _isLoaded = false;
}
