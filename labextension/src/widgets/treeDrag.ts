/** Drag and drop in the tree: moves rows to a folder (with Ctrl or Alt: copies them), uploads files from outside. */

import { parentOf } from '../model/paths';
import type { Selection } from '../model/selection';
import type { TreeModel } from '../model/tree';
import type { TreeRows } from './treeRows';

const KIND = 'application/x-jupyter-repl-paths';
/** Milliseconds that the mouse must stay above a closed folder before the folder opens. */
const OPEN_AFTER = 700;

export interface IDropActions {
  move(paths: string[], folder: string, isCopy: boolean): void;
  upload(items: DataTransferItemList, folder: string): void;
}

export class TreeDrag {
  constructor(
    private readonly _list: HTMLElement,
    private readonly _model: TreeModel,
    private readonly _rows: TreeRows,
    private readonly _selection: Selection,
    private readonly _actions: IDropActions
  ) {
    for (const name of EVENTS) {
      _list.addEventListener(name, this);
    }
  }

  dispose(): void {
    EVENTS.forEach(name => this._list.removeEventListener(name, this));
    clearTimeout(this._timer);
  }

  handleEvent(event: Event): void {
    const drag = event as DragEvent;
    switch (drag.type) {
      case 'dragstart':
        this._start(drag);
        break;
      case 'dragover':
        this._over(drag);
        break;
      case 'drop':
        this._drop(drag);
        break;
      case 'dragleave':
        if (!this._list.contains(drag.relatedTarget as Node | null)) {
          this._mark(null);
        }
        break;
      default:
        this._mark(null);
        this._dragged = [];
    }
  }

  private _start(event: DragEvent): void {
    const path = this._rows.pathOf(event.target);
    if (path === null || !event.dataTransfer) {
      return;
    }
    if (!this._selection.has(path)) {
      this._selection.only(path);
    }
    this._dragged = this._selection.paths;
    event.dataTransfer.setData(KIND, JSON.stringify(this._dragged));
    event.dataTransfer.setData('text/plain', this._dragged.join('\n'));
    event.dataTransfer.effectAllowed = 'copyMove';
  }

  private _over(event: DragEvent): void {
    const { dataTransfer } = event;
    const isOurs = this._dragged.length > 0;
    if (!dataTransfer || !(isOurs || dataTransfer.types.includes('Files'))) {
      return;
    }
    event.preventDefault();
    dataTransfer.dropEffect = isOurs && !isCopying(event) ? 'move' : 'copy';
    this._mark(this._folderAt(event));
  }

  private _drop(event: DragEvent): void {
    const folder = this._folderAt(event);
    const dragged = this._dragged;
    this._mark(null);
    this._dragged = [];
    event.preventDefault();
    event.stopPropagation();
    if (dragged.length) {
      this._actions.move(dragged, folder, isCopying(event));
    } else if (event.dataTransfer?.types.includes('Files')) {
      this._actions.upload(event.dataTransfer.items, folder);
    }
  }

  /** The folder that a drop at this place goes to. */
  private _folderAt(event: DragEvent): string {
    const path = this._rows.pathOf(event.target);
    if (path === null) {
      return '';
    }
    const row = this._model.row(this._model.indexOf(path));
    return row?.type === 'dir' ? path : parentOf(path);
  }

  /** Highlight the folder that a drop would go to, and open it after a while. */
  private _mark(folder: string | null): void {
    if (folder === this._target) {
      return;
    }
    clearTimeout(this._timer);
    this._target = folder;
    this._list.classList.toggle('jp-mod-dropTarget', folder === '');
    for (const row of this._list.querySelectorAll<HTMLElement>('.jp-Repl-treeRow')) {
      row.classList.toggle('jp-mod-dropTarget', folder !== null && row.dataset.path === folder);
    }
    if (folder) {
      this._timer = setTimeout(() => void this._model.expand(folder), OPEN_AFTER);
    }
  }

  private _target: string | null = null;
  private _dragged: string[] = [];
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

const EVENTS = ['dragstart', 'dragover', 'dragleave', 'drop', 'dragend'];

function isCopying(event: DragEvent): boolean {
  return event.ctrlKey || event.altKey;
}
