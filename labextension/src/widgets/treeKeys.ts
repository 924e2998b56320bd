/** Keys in the tree: moving, opening, selecting, and finding a row by the first letters of its name. */

import { parentOf } from '../model/paths';
import type { Selection } from '../model/selection';
import type { TreeModel } from '../model/tree';
import type { TreeRows } from './treeRows';

/** Letters that are typed within this many ms of each other form one text to search for. */
const TYPING = 700;

export class TreeKeys {
  /** @param _open - opens or closes a folder, chooses a file; `stay`: the focus remains in the tree */
  constructor(
    private readonly _model: TreeModel,
    private readonly _selection: Selection,
    private readonly _rows: TreeRows,
    private readonly _open: (path: string, stay: boolean) => void
  ) {}

  dispose(): void {
    clearTimeout(this._timer);
  }

  /** Handle a key. Returns true if the tree has used it. */
  press(event: KeyboardEvent): boolean {
    const { _model: model } = this;
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== 'a')) {
      return false; // it may be the key of a command
    }
    const index = model.indexOf(this._selection.focused);
    const row = model.row(index);
    const go = (to: number): boolean => this._go(to, event.shiftKey);
    const open = (stay: boolean): boolean => {
      if (row) {
        this._open(row.path, stay);
      }
      return row !== null;
    };
    switch (event.key) {
      case 'ArrowDown':
        return go(index + 1);
      case 'ArrowUp':
        return go(index - 1);
      case 'PageDown':
        return go(index + this._rows.pageSize);
      case 'PageUp':
        return go(index - this._rows.pageSize);
      case 'Home':
        return go(0);
      case 'End':
        return go(model.count - 1);
      case 'ArrowRight':
        return row?.type === 'dir' && !row.expanded ? open(true) : go(index + 1);
      case 'ArrowLeft':
        return row?.expanded ? open(true) : go(Math.max(0, model.indexOf(parentOf(row?.path ?? ''))));
      case 'Enter':
        return !event.shiftKey && open(false);
      case ' ':
        return open(true);
    }
    if (event.ctrlKey) {
      this._selection.all();
      return true;
    }
    return event.key.length === 1 && this._find(event.key, index);
  }

  private _go(to: number, extend: boolean): boolean {
    this._selection.go(to, extend);
    this._rows.scrollTo(this._model.indexOf(this._selection.focused));
    return true;
  }

  /** Go to the next row whose name begins with what is being typed. */
  private _find(key: string, from: number): boolean {
    clearTimeout(this._timer);
    this._typed += key.toLowerCase();
    this._timer = setTimeout(() => (this._typed = ''), TYPING);
    const { count } = this._model;
    const first = this._typed.length > 1 ? Math.max(0, from) : from + 1;
    for (let step = 0; step < count; step++) {
      const index = (first + step) % count;
      if (this._model.row(index)?.name.toLowerCase().startsWith(this._typed)) {
        return this._go(index, false);
      }
    }
    return true;
  }

  private _typed = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
