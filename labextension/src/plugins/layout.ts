/** What a tab looks like inside, kept in JupyterLab's state for the next page. */

import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

export interface ILayout {
  /** Relative widths of the columns; empty until somebody has moved one. */
  columns: number[];
  /** Paths of open files, and the one in front. */
  editors: string[];
  active: string;
  /** Paths of open folders. */
  expanded: string[];
}

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
    this._saver = new Debouncer(async () => this._state?.save(this._key, { ...layout() }), SAVE_DELAY);
  }

  /** What was kept; null if nothing was. From then on changes are saved. */
  async load(): Promise<ILayout | null> {
    const kept = await this._state?.fetch(this._key).catch(() => undefined);
    this._isLoaded = true;
    return (kept as ReadonlyJSONObject as unknown as ILayout) ?? null;
  }

  /** Something has changed; before `load` it is the page that builds itself up. */
  saveSoon(): void {
    if (this._isLoaded && !this._saver.isDisposed) {
      this._saver.invoke().catch(() => undefined);
    }
  }

  dispose(): void {
    this._saver.dispose();
  }

  private readonly _key: string;
  private readonly _saver: Debouncer;
  private _isLoaded = false;
}
