/** The tree of files, for mouse and keyboard. It follows the disk; only its actions change files. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { join, nameProblem, parentOf } from '../model/paths';
import { Selection } from '../model/selection';
import type { TreeModel } from '../model/tree';
import { makeNameField } from './nameField';
import { IDropActions, TreeDrag } from './treeDrag';
import { TreeKeys } from './treeKeys';
import { IMarks, TreeRows } from './treeRows';

export interface ITreeActions extends IDropActions {
  rename(path: string, name: string): void;
  create(path: string, type: 'file' | 'dir'): void;
}

export class Tree extends Widget {
  /** @param buttons - at the right of the title */
  constructor(
    readonly model: TreeModel,
    private readonly _actions: ITreeActions,
    iconOf: (name: string) => LabIcon,
    buttons: HTMLElement[],
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Repl-tree');
    const title = document.createElement('div');
    title.className = 'jp-Repl-paneTitle';
    const label = document.createElement('span');
    label.textContent = _trans.__('Files');
    title.append(label, ...buttons);
    this._list.className = 'jp-Repl-treeList';
    this._list.tabIndex = 0;
    this._list.setAttribute('role', 'tree');
    this._list.setAttribute('aria-label', _trans.__('Files'));
    this._list.setAttribute('aria-multiselectable', 'true');
    this._empty.className = 'jp-Repl-empty';
    this._empty.textContent = _trans.__('No files yet. Make one above, drop some here, or use the terminal.');
    this.node.append(title, this._list, this._empty);
    this.selection = new Selection(model);
    this._rows = new TreeRows(this._list, model, this.selection, iconOf);
    this._drag = new TreeDrag(this._list, model, this._rows, this.selection, _actions);
    this._keys = new TreeKeys(model, this.selection, this._rows, (path, stay) => this._open(path, stay));
    EVENTS.forEach(name => this._list.addEventListener(name, this));
    model.changed.connect(this._onModel, this);
    this.selection.changed.connect(this._drawSoon, this);
  }

  readonly selection: Selection;

  /** A file was chosen; `stay`: the focus remains in the tree. */
  get chosen(): ISignal<this, { path: string; stay: boolean }> {
    return this._chosen;
  }

  /** Show which file is in front, which have unsaved text, and what was cut. */
  mark(marks: Partial<IMarks>): void {
    const isOther = marks.active !== undefined && marks.active !== this._rows.marks.active;
    this._rows.marks = { ...this._rows.marks, ...marks };
    const isFree = this.selection.paths.length <= 1 && !isMenuOpen();
    if (isOther && isFree && this.model.indexOf(marks.active!) >= 0) {
      this.selection.only(marks.active!);
    }
    this._drawSoon();
  }

  /** The folder that something new goes into: the focused one, or the one around the focused file. */
  get folder(): string {
    const row = this.model.row(this.model.indexOf(this.selection.focused));
    return !row ? '' : row.type === 'dir' ? row.path : parentOf(row.path);
  }

  /** Open the folders around a file, select it and show it. An open menu acts on the selection, which stays then. */
  async reveal(path: string): Promise<void> {
    const index = await this.model.reveal(path);
    if (isMenuOpen()) {
      return;
    }
    if (index >= 0) {
      this.selection.only(path);
      this._rows.scrollTo(index);
    } else {
      this.selection.clear(); // keys must not act on the row that was selected before
    }
  }

  /** Ask for the new name of a file or folder, in place of its row. */
  startRename(path: string): void {
    const index = this.model.indexOf(path);
    const row = this.model.row(index);
    if (row) {
      const dot = row.type === 'file' ? row.name.lastIndexOf('.') : 0;
      this._rows.scrollTo(index);
      this._ask(index, true, row.depth, row.name, dot > 0 ? dot : row.name.length, name =>
        this._actions.rename(path, name)
      );
    }
  }

  /** Ask for the name of a new file or folder, in a new line below the parent folder. */
  async startCreate(folder: string, type: 'file' | 'dir'): Promise<void> {
    if (folder) {
      await this.model.expand(folder);
    }
    const above = folder ? this.model.indexOf(folder) : -1;
    const depth = folder ? this.model.row(above)!.depth + 1 : 0;
    this._rows.scrollTo(above + 1);
    this._empty.hidden = true;
    this._ask(above + 1, false, depth, '', 0, name => this._actions.create(join(folder, name), type));
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'click':
        this._onClick(event as MouseEvent);
        break;
      case 'contextmenu':
        this._onContextMenu(event);
        break;
      case 'keydown':
        if (this._keys.press(event as KeyboardEvent)) {
          event.preventDefault();
          event.stopPropagation();
        }
        break;
      case 'focus':
        if (!this.selection.focused) {
          this.selection.go(0, false);
        }
        break;
      case 'scroll':
        this._rows.draw(true);
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    EVENTS.forEach(name => this._list.removeEventListener(name, this));
    this._drag.dispose();
    this._keys.dispose();
    Signal.clearData(this.selection);
    Signal.clearData(this.model);
    super.dispose();
  }

  protected override onActivateRequest(_: Message): void {
    this._list.focus();
  }

  protected override onResize(_: Widget.ResizeMessage): void {
    this._drawSoon();
  }

  protected override onAfterShow(_: Message): void {
    this._drawSoon();
  }

  private _onModel(): void {
    this.selection.prune();
    this._empty.hidden = this.model.count > 0 || this._rows.gap !== null;
    this._drawSoon();
  }

  private _drawSoon(): void {
    if (!this._isDrawing) {
      this._isDrawing = true;
      requestAnimationFrame(() => {
        this._isDrawing = false;
        if (!this.isDisposed) {
          this._rows.draw();
        }
      });
    }
  }

  private _onClick(event: MouseEvent): void {
    const path = this._rows.pathOf(event.target);
    if (path === null) {
      this.selection.clear();
      return;
    }
    const held = { extend: event.shiftKey, toggle: event.ctrlKey || event.metaKey };
    this.selection.click(path, held);
    if (!held.extend && !held.toggle) {
      this._open(path, false);
    }
  }

  /** The menu acts on the selection, so this selects the row under the mouse. */
  private _onContextMenu(event: Event): void {
    const path = this._rows.pathOf(event.target);
    if (path === null) {
      this.selection.clear();
    } else if (!this.selection.has(path)) {
      this.selection.only(path);
    }
  }

  /** Open or close a folder, choose a file. */
  private _open(path: string, stay: boolean): void {
    const row = this.model.row(this.model.indexOf(path));
    if (row?.type === 'file') {
      this._chosen.emit({ path, stay });
    } else if (row?.expanded) {
      this.model.collapse(path);
    } else {
      void this.model.expand(path);
    }
  }

  private _ask(
    index: number,
    covers: boolean,
    depth: number,
    value: string,
    selected: number,
    commit: (name: string) => void
  ): void {
    const trans = this._trans;
    const end = (): void => {
      this._rows.gap?.node.remove();
      this._rows.gap = null;
      this._onModel();
      this._list.focus();
    };
    const label = covers ? trans.__('New name of %1', value) : trans.__('Name');
    const check = (name: string): string => this._checkName(name, covers);
    const node = makeNameField({ label, value, selected, check, commit, end });
    node.style.left = `${20 + 12 * depth}px`;
    this._rows.gap?.node.remove();
    this._rows.gap = { index, node, covers };
    this._rows.draw();
  }

  /** The name of a new file may include new folders: `src/app.py`. */
  private _checkName(name: string, isRename: boolean): string {
    const trans = this._trans;
    const problem = nameProblem(isRename && name.includes('/') ? '/' : name);
    switch (problem) {
      case null:
        return '';
      case 'empty':
        return trans.__('Type a name.');
      case 'slash':
        return isRename
          ? trans.__('A name can’t contain a slash.')
          : trans.__('A slash must stand between two names.');
      case 'dots':
        return trans.__('A name can’t be one or two dots.');
      case 'too-long':
        return trans.__('The name is too long.');
    }
  }

  private readonly _list = document.createElement('div');
  private readonly _empty = document.createElement('div');
  private readonly _rows: TreeRows;
  private readonly _drag: TreeDrag;
  private readonly _keys: TreeKeys;
  private readonly _chosen = new Signal<this, { path: string; stay: boolean }>(this);
  private _isDrawing = false;
}

const EVENTS = ['click', 'contextmenu', 'keydown', 'focus', 'scroll'];

function isMenuOpen(): boolean {
  return document.querySelector('.lm-Menu') !== null;
}
