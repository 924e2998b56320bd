/** The tree of files: follows the disk, by mouse and by keyboard. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon, fileIcon, folderIcon, LabIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { IRow, TreeModel } from '../model/tree';

export class Tree extends Widget {
  constructor(
    private readonly _model: TreeModel,
    trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Repl-tree');
    const title = document.createElement('div');
    title.className = 'jp-Repl-paneTitle';
    title.textContent = trans.__('Files');
    this._list.setAttribute('role', 'tree');
    this._list.setAttribute('aria-label', trans.__('Files'));
    this._empty.className = 'jp-Repl-empty';
    this._empty.textContent = trans.__('No files yet. Make one in the terminal.');
    this.node.append(title, this._list, this._empty);
    this.node.addEventListener('click', this);
    this.node.addEventListener('keydown', this);
    _model.changed.connect(this._render, this);
  }

  /** A file was chosen. */
  get chosen(): ISignal<this, string> {
    return this._chosen;
  }

  /** Mark the file that is edited. */
  setActive(path: string): void {
    this._active = path;
    this._render();
  }

  handleEvent(event: Event): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
    const path = row?.dataset.path;
    if (path === undefined) {
      return;
    }
    this._focused = path;
    if (event.type === 'click') {
      this._activate(path);
    } else if (this._isOurs(event as KeyboardEvent) && this._onKey((event as KeyboardEvent).key, path)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  override dispose(): void {
    this.node.removeEventListener('click', this);
    this.node.removeEventListener('keydown', this);
    Signal.clearData(this);
    super.dispose();
  }

  protected override onActivateRequest(_: Message): void {
    this._list.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  /** With a modifier a key is somebody's command. */
  private _isOurs({ altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent): boolean {
    return !(altKey || ctrlKey || metaKey || shiftKey);
  }

  private _onKey(key: string, path: string): boolean {
    const index = this._rows.findIndex(row => row.path === path);
    const row = this._rows[index];
    switch (key) {
      case 'ArrowDown':
        return this._focus(index + 1);
      case 'ArrowUp':
        return this._focus(index - 1);
      case 'Home':
        return this._focus(0);
      case 'End':
        return this._focus(this._rows.length - 1);
      case 'ArrowRight':
        if (row.type === 'dir' && !row.expanded) {
          this._activate(path);
          return true;
        }
        return this._focus(index + 1);
      case 'ArrowLeft':
        if (row.expanded) {
          this._activate(path);
          return true;
        }
        return this._focus(this._rows.findIndex(other => path.startsWith(`${other.path}/`)));
      case 'Enter':
      case ' ':
        this._activate(path);
        return true;
      default:
        return false;
    }
  }

  private _focus(index: number): boolean {
    const row = this._rows[index];
    if (row) {
      this._focused = row.path;
      this._render();
      this._list.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
    return true;
  }

  private _activate(path: string): void {
    const row = this._rows.find(row => row.path === path);
    if (row?.type === 'dir') {
      void this._model.toggle(path);
    } else if (row) {
      this._chosen.emit(path);
    }
  }

  private _render(): void {
    const hadFocus = this._list.contains(document.activeElement);
    this._rows = this._model.rows();
    if (!this._rows.some(row => row.path === this._focused)) {
      this._focused = this._rows[0]?.path ?? '';
    }
    this._list.replaceChildren(...this._rows.map(row => this._makeRow(row)));
    this._empty.hidden = this._rows.length > 0;
    if (hadFocus) {
      this._list.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
  }

  private _makeRow(row: IRow): HTMLElement {
    const node = document.createElement('div');
    node.className = 'jp-Repl-treeRow';
    node.dataset.path = row.path;
    node.style.paddingLeft = `${4 + 12 * row.depth}px`;
    node.tabIndex = row.path === this._focused ? 0 : -1;
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-level', String(row.depth + 1));
    node.setAttribute('aria-selected', String(row.path === this._active));
    node.append(this._makeCaret(row), makeIcon(row.type === 'dir' ? folderIcon : fileIcon));
    if (row.type === 'dir') {
      node.setAttribute('aria-expanded', String(row.expanded));
    }
    const name = document.createElement('span');
    name.textContent = row.name;
    node.append(name);
    node.title = row.path;
    return node;
  }

  private _makeCaret(row: IRow): HTMLElement {
    if (row.type === 'dir') {
      return makeIcon(row.expanded ? caretDownIcon : caretRightIcon);
    }
    const space = document.createElement('span');
    space.className = 'jp-Repl-treeIcon';
    return space;
  }

  private readonly _list = document.createElement('div');
  private readonly _empty = document.createElement('div');
  private readonly _chosen = new Signal<this, string>(this);
  private _rows: IRow[] = [];
  private _focused = '';
  private _active = '';
}

function makeIcon(icon: LabIcon): HTMLElement {
  return icon.element({ tag: 'span', className: 'jp-Repl-treeIcon', stylesheet: 'listing' });
}
