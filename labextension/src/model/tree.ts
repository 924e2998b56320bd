/** The project's folders as far as they were opened. No DOM, no network: `fetch` is given. */

import { ISignal, Signal } from '@lumino/signaling';
import type { IChanged, IEntry } from './messages';

export interface IRow extends IEntry {
  depth: number;
  expanded: boolean;
}

export class TreeModel {
  /** @param fetch - lists a folder; rejects if it can't be listed */
  constructor(private readonly _fetch: (path: string) => Promise<IEntry[]>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The visible rows, from the top. */
  rows(folder = '', depth = 0): IRow[] {
    const rows: IRow[] = [];
    for (const entry of this._folders.get(folder) ?? []) {
      const expanded = entry.type === 'dir' && this._expanded.has(entry.path);
      rows.push({ ...entry, depth, expanded });
      if (expanded) {
        rows.push(...this.rows(entry.path, depth + 1));
      }
    }
    return rows;
  }

  /** The paths of open folders, for the next page. */
  get expanded(): string[] {
    return [...this._expanded];
  }

  /** Show the root, and reopen `expanded`. */
  async load(root: IEntry[] | null, expanded: readonly string[] = this.expanded): Promise<void> {
    if (root) {
      this._folders.set('', root);
    } else {
      await this._refresh('');
    }
    expanded.forEach(path => this._expanded.add(path));
    await Promise.all(expanded.map(path => this._refresh(path)));
    this._changed.emit();
  }

  async toggle(path: string): Promise<void> {
    if (!this._expanded.delete(path)) {
      this._expanded.add(path);
      await this._refresh(path);
    }
    this._changed.emit();
  }

  /** Follow the disk: only folders that are shown are read again. */
  async apply(change: IChanged): Promise<void> {
    const shown = ['', ...this._expanded];
    const stale = change.all ? shown : shown.filter(path => change.dirs?.includes(path));
    if (stale.length) {
      await Promise.all(stale.map(path => this._refresh(path)));
      this._changed.emit();
    }
  }

  private async _refresh(path: string): Promise<void> {
    try {
      this._folders.set(path, await this._fetch(path));
    } catch {
      this._folders.delete(path);
      this._expanded.delete(path);
    }
  }

  private readonly _folders = new Map<string, IEntry[]>();
  private readonly _expanded = new Set<string>();
  private readonly _changed = new Signal<this, void>(this);
}
