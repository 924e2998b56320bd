/** Draws only the visible rows of a tree: a folder of 50,000 files costs as much as one of 50. */

import { caretDownIcon, caretRightIcon, folderIcon, LabIcon } from '@jupyterlab/ui-components';
import type { Selection } from '../model/selection';
import type { IRow, TreeModel } from '../model/tree';

const ROW_HEIGHT = 24;
/** Rows that are drawn beyond the visible ones, so that turning the mouse wheel shows no gap. */
const OVERSCAN = 6;

export interface IMarks {
  /** The file in front. */
  active: string;
  /** Files with unsaved text. */
  dirty: ReadonlySet<string>;
  /** Files that are saved, but not in S3 yet. */
  waiting: ReadonlySet<string>;
  /** Files and folders that were cut. */
  cut: ReadonlySet<string>;
}

/** A line for typing a name: above the row at `index`, or with `covers` in place of that row. */
export interface IGap {
  index: number;
  node: HTMLElement;
  covers: boolean;
}

export class TreeRows {
  /** @param iconOf - the icon of a file by its name */
  constructor(
    private readonly _list: HTMLElement,
    private readonly _model: TreeModel,
    private readonly _selection: Selection,
    private readonly _iconOf: (name: string) => LabIcon
  ) {
    this._canvas.className = 'jp-Repl-treeCanvas';
    this._canvas.setAttribute('role', 'none');
    this._list.append(this._canvas);
  }

  marks: IMarks = { active: '', dirty: new Set(), waiting: new Set(), cut: new Set() };

  /** Null while no name is typed. */
  gap: IGap | null = null;

  /** How many rows fit. */
  get pageSize(): number {
    return Math.max(1, Math.floor(this._list.clientHeight / ROW_HEIGHT) - 1);
  }

  /** The path of the row under an element; null if there is none. */
  pathOf(target: EventTarget | null): string | null {
    const row = target instanceof Element ? target.closest<HTMLElement>('.jp-Repl-treeRow[data-path]') : null;
    return row && this._canvas.contains(row) ? row.dataset.path! : null;
  }

  scrollTo(index: number): void {
    const top = this._top(index);
    const { scrollTop, clientHeight } = this._list;
    if (top < scrollTop) {
      this._list.scrollTop = top;
    } else if (top + ROW_HEIGHT > scrollTop + clientHeight) {
      this._list.scrollTop = top + ROW_HEIGHT - clientHeight;
    }
  }

  /** Draw what can be seen now. `isSame`: only the scroll position has changed. */
  draw(isSame = false): void {
    const { scrollTop, clientHeight } = this._list;
    const extra = this.gap && !this.gap.covers ? 1 : 0;
    const height = `${(this._model.count + extra) * ROW_HEIGHT}px`;
    if (this._canvas.style.height !== height) {
      this._canvas.style.height = height;
    }
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - OVERSCAN - extra);
    const last = Math.min(
      this._model.count - 1,
      Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + OVERSCAN
    );
    if (last >= first) {
      this._model.look(first, last);
    }
    const wanted = new Map<number, IRow | null>();
    for (let index = first; index <= last; index++) {
      wanted.set(index, this._model.row(index));
    }
    // the row with the focus is always drawn, or a screen reader loses it
    const focused = this._model.indexOf(this._selection.focused);
    if (focused >= 0) {
      wanted.set(focused, this._model.row(focused));
    }
    this._place(wanted, isSame);
    this._list.setAttribute('aria-activedescendant', focused >= 0 ? this._idOf(focused) : '');
  }

  private _place(wanted: Map<number, IRow | null>, isSame: boolean): void {
    for (const [index, node] of this._nodes) {
      if (!wanted.has(index)) {
        node.remove();
        this._nodes.delete(index);
      }
    }
    for (const [index, row] of wanted) {
      const old = this._nodes.get(index);
      if (old && isSame && row?.path === old.dataset.path) {
        continue;
      }
      const key = row ? this._keyOf(row, index) : `${index}`;
      if (old?.dataset.key === key) {
        continue;
      }
      const node = row ? this._make(row, index) : makeEmpty(this._top(index));
      node.dataset.key = key;
      if (old) {
        old.replaceWith(node);
      } else {
        this._canvas.append(node);
      }
      this._nodes.set(index, node);
    }
    if (this.gap) {
      this.gap.node.style.top = `${this.gap.index * ROW_HEIGHT}px`;
      if (!this.gap.node.isConnected) {
        this._canvas.append(this.gap.node);
      }
    }
  }

  /** All that a row shows, in one string: the row is drawn again only when this changes. */
  private _keyOf(row: IRow, index: number): string {
    const { active, dirty, waiting, cut } = this.marks;
    const flags = [
      row.expanded,
      this._selection.has(row.path),
      this._selection.focused === row.path,
      active === row.path,
      dirty.has(row.path),
      waiting.has(row.path),
      cut.has(row.path)
    ];
    return [index, this._top(index), row.depth, row.type, flags.map(Number).join(''), row.path].join('|');
  }

  private _top(index: number): number {
    const isBelow = this.gap && !this.gap.covers && index >= this.gap.index;
    return (index + (isBelow ? 1 : 0)) * ROW_HEIGHT;
  }

  private _make(row: IRow, index: number): HTMLElement {
    const { active, dirty, waiting, cut } = this.marks;
    const node = document.createElement('div');
    node.id = this._idOf(index);
    node.className = 'jp-Repl-treeRow';
    node.dataset.path = row.path;
    node.draggable = true;
    node.style.top = `${this._top(index)}px`;
    node.style.paddingLeft = `${4 + 12 * row.depth}px`;
    node.title = row.path;
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-level', String(row.depth + 1));
    node.setAttribute('aria-selected', String(this._selection.has(row.path)));
    if (row.path === active) {
      node.setAttribute('aria-current', 'true');
    }
    node.classList.toggle('jp-mod-focused', row.path === this._selection.focused);
    node.classList.toggle('jp-mod-dirty', dirty.has(row.path));
    node.classList.toggle('jp-mod-waiting', waiting.has(row.path) && !dirty.has(row.path));
    node.classList.toggle('jp-mod-cut', cut.has(row.path));
    if (row.type === 'dir') {
      node.setAttribute('aria-expanded', String(row.expanded));
      node.append(drawIcon(row.expanded ? caretDownIcon : caretRightIcon), drawIcon(folderIcon));
    } else {
      const space = document.createElement('span');
      space.className = 'jp-Repl-treeIcon';
      node.append(space, drawIcon(this._iconOf(row.name)));
    }
    const name = document.createElement('span');
    name.className = 'jp-Repl-treeName';
    name.textContent = row.name;
    node.append(name);
    return node;
  }

  private _idOf(index: number): string {
    return `${this._id}-${index}`;
  }

  private readonly _canvas = document.createElement('div');
  private readonly _nodes = new Map<number, HTMLElement>();
  private readonly _id = `jp-Repl-tree-${++lastId}`;
}

let lastId = 0;
const drawn = new Map<string, HTMLElement>();

/** Returns an icon's element. Scrolling draws icons in every frame; copying one is ten times as fast as making it. */
function drawIcon(icon: LabIcon): HTMLElement {
  let node = drawn.get(icon.name);
  if (!node) {
    node = icon.element({ tag: 'span', className: 'jp-Repl-treeIcon', stylesheet: 'listing' });
    node.setAttribute('aria-hidden', 'true');
    drawn.set(icon.name, node);
  }
  return node.cloneNode(true) as HTMLElement;
}

function makeEmpty(top: number): HTMLElement {
  const node = document.createElement('div');
  node.className = 'jp-Repl-treeRow jp-mod-unread';
  node.style.top = `${top}px`;
  node.setAttribute('role', 'none');
  return node;
}
