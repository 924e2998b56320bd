/** The layout inside a tab, kept in JupyterLab's state for the next page, and so in its saved workspaces. */

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
  /** The open files, arranged; the one in front; and where somebody was in them. */
  editors: PackedArea | null;
  active: string;
  places: [string, IPlace][];
  /** Console and terminals, arranged, by the terminals' numbers. */
  side: PackedArea | null;
  /** Paths of open folders. */
  expanded: string[];
}

/** As much of a tab as is arranged. */
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

/** Arrange the tab as it was; its terminals are there already. */
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
  /** @param layout - what is to be kept, asked for when it is */
  constructor(
    private readonly _state: IStateDB | null,
    replId: string,
    layout: () => ILayout
  ) {
    // Not in the namespace of the widget tracker, which removes what is not its own when it restores.
    this._key = `jupyter-repl-layout:${replId}`;
    this._save = () => void _state?.save(this._key, layout() as unknown as ReadonlyJSONObject);
  }

  /** What was kept; null if nothing was, or by another version. From then on changes are saved. */
  async load(): Promise<ILayout | null> {
    const kept = (await this._state?.fetch(this._key).catch(() => undefined)) as unknown as
      ILayout | undefined;
    this._isLoaded = true;
    return kept?.version === 2 ? kept : null;
  }

  /** Something has changed; before `load` it is the page that builds itself up. */
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
