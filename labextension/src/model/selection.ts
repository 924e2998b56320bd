/** Which rows of a list are selected, and which one has the focus. It works like the list of any file manager. */

import { ISignal, Signal } from '@lumino/signaling';

/** The rows by index, as far as they are known. */
export interface IRows {
  readonly count: number;
  row(index: number): { path: string } | null;
  indexOf(path: string): number;
}

export class Selection {
  constructor(private readonly _rows: IRows) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The row that keys go to; empty if none. */
  get focused(): string {
    return this._focused;
  }

  /** The selected paths, in the order of the list. */
  get paths(): string[] {
    return [...this._paths].sort((a, b) => this._rows.indexOf(a) - this._rows.indexOf(b));
  }

  has(path: string): boolean {
    return this._paths.has(path);
  }

  /** Select this row alone. */
  only(path: string): void {
    this._set([path], path, path);
  }

  /** Add the row to the selection, or remove it. */
  toggle(path: string): void {
    const paths = new Set(this._paths);
    if (!paths.delete(path)) {
      paths.add(path);
    }
    this._set(paths, path, path);
  }

  /** Select all rows from the start of the selection to this row. */
  extend(path: string): void {
    const from = this._rows.indexOf(this._anchor);
    const to = this._rows.indexOf(path);
    if (from < 0 || to < 0) {
      this.only(path);
      return;
    }
    this._set(this._between(Math.min(from, to), Math.max(from, to)), path, this._anchor);
  }

  all(): void {
    const focused = this._focused || (this._rows.row(0)?.path ?? '');
    this._set(this._between(0, this._rows.count - 1), focused, focused);
  }

  clear(): void {
    this._set([], this._focused, this._focused);
  }

  /** A click, with the keys that were held. */
  click(path: string, { extend, toggle }: { extend: boolean; toggle: boolean }): void {
    if (extend) {
      this.extend(path);
    } else if (toggle) {
      this.toggle(path);
    } else {
      this.only(path);
    }
  }

  /** Go to the row at `index`, or to the nearest row. Selects it alone or, with `extend`, all rows up to it. */
  go(index: number, extend: boolean): void {
    const row = this._rows.row(Math.min(Math.max(0, index), this._rows.count - 1));
    if (row) {
      this.click(row.path, { extend, toggle: false });
    }
  }

  /** Drop rows that no longer exist. */
  prune(): void {
    const paths = [...this._paths].filter(path => this._rows.indexOf(path) >= 0);
    const isGone = this._focused !== '' && this._rows.indexOf(this._focused) < 0;
    if (paths.length !== this._paths.size || isGone) {
      const focused = isGone ? (paths.at(-1) ?? '') : this._focused;
      this._set(paths, focused, focused);
    }
  }

  private _between(from: number, to: number): string[] {
    const paths: string[] = [];
    for (let index = from; index <= to; index++) {
      const row = this._rows.row(index);
      if (row) {
        paths.push(row.path);
      }
    }
    return paths;
  }

  private _set(paths: Iterable<string>, focused: string, anchor: string): void {
    this._paths = new Set(paths);
    this._focused = focused;
    this._anchor = anchor;
    this._changed.emit();
  }

  private _paths = new Set<string>();
  private _focused = '';
  private _anchor = '';
  private readonly _changed = new Signal<this, void>(this);
}
