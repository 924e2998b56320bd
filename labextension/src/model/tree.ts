/**
 * The project's folders that are open in the tree, as one list of rows. No DOM, no network: `fetch` is injected.
 *
 * Folders are read in pages. Only visible pages are read, so a folder with 50,000 files costs no more than one with
 * 500. The rows of a page that is not read yet are null.
 */

import { ISignal, Signal } from '@lumino/signaling';
import { IChanged, IEntry, ReplError } from './messages';
import { parentOf } from './paths';

/** Entries of a page: the most that the runner returns at once. */
export const PAGE = 500;

export interface IRow extends IEntry {
  depth: number;
  expanded: boolean;
}

export interface IPage {
  content: IEntry[];
  /** The number of entries of the whole folder. */
  total: number;
}

interface IFolder {
  total: number;
  pages: Map<number, IEntry[]>;
  /** The index in the folder of each entry that is known, by path. */
  places: Map<string, number>;
}

/** Consecutive rows of one folder. */
interface ISpan {
  folder: string;
  depth: number;
  /** The first row, the index of its entry in the folder, and the number of rows. */
  row: number;
  entry: number;
  count: number;
}

export class TreeModel {
  /** @param fetch - reads a page of a folder from an offset on; rejects if there is no such folder */
  constructor(private readonly _fetch: (path: string, offset: number) => Promise<IPage>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** How many rows there are. */
  get count(): number {
    return this._count;
  }

  /** The row at `index` from the top; null if it is not read yet, or beyond the end. */
  row(index: number): IRow | null {
    const span = this._spanOf(index);
    if (!span) {
      return null;
    }
    const entry = this._entry(this._folders.get(span.folder), span.entry + index - span.row);
    return entry && { ...entry, depth: span.depth, expanded: this._isShown(entry) };
  }

  /** The row of a path; -1 if the path is not shown. */
  indexOf(path: string): number {
    const folder = parentOf(path);
    const place = this._folders.get(folder)?.places.get(path) ?? -1;
    const span = this._spans.find(
      ({ folder: of, entry, count }) => of === folder && place >= entry && place < entry + count
    );
    return span ? span.row + place - span.entry : -1;
  }

  /** The paths of open folders, to open them again after a reload. */
  get expanded(): string[] {
    return [...this._expanded];
  }

  /** Show the root, from its first page if that is known, and reopen `expanded`. */
  async load(root: IPage | null, expanded: readonly string[] = this.expanded): Promise<void> {
    expanded.forEach(path => this._expanded.add(path));
    if (root) {
      this._put('', 0, root);
      this._relayout();
    }
    const folders = [...(root ? [] : ['']), ...expanded];
    await Promise.all(folders.map(path => this._refresh(path)));
    this._relayout();
  }

  async expand(path: string): Promise<void> {
    if (!this._expanded.has(path)) {
      this._expanded.add(path);
      await this._refresh(path);
      this._relayout();
    }
  }

  collapse(path: string): void {
    if (this._expanded.delete(path)) {
      this._relayout();
    }
  }

  collapseAll(): void {
    this._expanded.clear();
    this._relayout();
  }

  /** Open the folders around a path; resolves to its row, -1 if there is no such file on the pages that are read. */
  async reveal(path: string): Promise<number> {
    const names = path.split('/').slice(0, -1);
    const around = names.map((_, depth) => names.slice(0, depth + 1).join('/'));
    for (const folder of around) {
      await this.expand(folder);
    }
    if (this.indexOf(path) < 0) {
      // the file, and the folders around it, may be newer than what was read
      await Promise.all(['', ...around].map(folder => this._refresh(folder)));
      this._relayout();
    }
    return this.indexOf(path);
  }

  /** Rows `first` to `last` are visible: read their missing pages. */
  look(first: number, last: number): void {
    this._looked = [first, last];
    for (const [folder, page] of this._lookedPages()) {
      // a folder that was just removed has rows until the next layout
      if (this._folders.get(folder)?.pages.has(page) === false) {
        void this._read(folder, page).then(() => this._relayout());
      }
    }
  }

  /** The disk changed: read the changed folders again, but only those that are open. */
  async apply(change: IChanged): Promise<void> {
    const shown = ['', ...this._expanded];
    const stale = change.all ? shown : shown.filter(path => change.dirs?.includes(path));
    if (stale.length) {
      await Promise.all(stale.map(path => this._refresh(path)));
      this._relayout();
    }
  }

  /** Read a folder again. Calls that come during a read share one further read. */
  private async _refresh(path: string): Promise<void> {
    const running = this._refreshing.get(path);
    if (running) {
      this._again.add(path);
      return running;
    }
    const refresh = this._refreshNow(path).finally(() => this._refreshing.delete(path));
    this._refreshing.set(path, refresh);
    await refresh;
  }

  private async _refreshNow(path: string): Promise<void> {
    do {
      this._again.delete(path);
      const wanted = new Set([0]);
      this._lookedPages().forEach(([folder, page]) => folder === path && wanted.add(page));
      try {
        const pages = await Promise.all([...wanted].map(page => this._fetch(path, page * PAGE)));
        this._folders.delete(path);
        [...wanted].forEach((page, index) => this._put(path, page, pages[index]));
      } catch (reason) {
        // while the connection is gone, the last known rows are better than none
        if (path !== '' && ReplError.from(reason).code !== 'Unavailable') {
          this._folders.delete(path);
          this._expanded.delete(path);
        }
      }
    } while (this._again.has(path));
  }

  private async _read(folder: string, page: number): Promise<void> {
    const key = `${page}:${folder}`;
    if (!this._reading.has(key)) {
      this._reading.add(key);
      try {
        this._put(folder, page, await this._fetch(folder, page * PAGE));
      } catch {
        // the folder is gone; the runner also sends an event about that
      } finally {
        this._reading.delete(key);
      }
    }
  }

  private _put(path: string, page: number, { content, total }: IPage): void {
    const folder = this._folders.get(path) ?? { total, pages: new Map(), places: new Map() };
    folder.total = total;
    folder.pages.set(page, content);
    content.forEach((entry, index) => folder.places.set(entry.path, page * PAGE + index));
    this._folders.set(path, folder);
  }

  private _relayout(): void {
    this._spans = [];
    this._count = this._lay('', 0, 0);
    this._changed.emit();
  }

  /** Lay out a folder's rows from `row` on; returns the next row. The cost grows with the number of open folders. */
  private _lay(path: string, depth: number, row: number): number {
    const folder = this._folders.get(path);
    if (!folder) {
      return row;
    }
    const open = [...this._expanded]
      .filter(inner => parentOf(inner) === path && this._folders.has(inner))
      .map(inner => folder.places.get(inner) ?? -1)
      .filter(place => place >= 0 && place < folder.total)
      .sort((a, b) => a - b);
    let entry = 0;
    for (const place of open) {
      const count = place + 1 - entry;
      this._spans.push({ folder: path, depth, row, entry, count });
      row = this._lay(this._entry(folder, place)!.path, depth + 1, row + count);
      entry = place + 1;
    }
    const count = folder.total - entry;
    if (count > 0) {
      this._spans.push({ folder: path, depth, row, entry, count });
    }
    return row + Math.max(0, count);
  }

  private _spanOf(index: number): ISpan | undefined {
    return this._spans.find(({ row, count }) => index >= row && index < row + count);
  }

  private _entry(folder: IFolder | undefined, place: number): IEntry | null {
    return folder?.pages.get(Math.floor(place / PAGE))?.[place % PAGE] ?? null;
  }

  private _isShown(entry: IEntry): boolean {
    return entry.type === 'dir' && this._expanded.has(entry.path) && this._folders.has(entry.path);
  }

  /** The folder and the page number of each visible page. */
  private _lookedPages(): [string, number][] {
    const [first, last] = this._looked;
    const pages: [string, number][] = [];
    for (const { folder, row, entry, count } of this._spans) {
      const [top, end] = [Math.max(first, row), Math.min(last, row + count - 1)];
      for (
        let page = Math.floor((entry + top - row) / PAGE);
        top <= end && page <= Math.floor((entry + end - row) / PAGE);
        page++
      ) {
        pages.push([folder, page]);
      }
    }
    return pages;
  }

  private readonly _folders = new Map<string, IFolder>();
  private readonly _expanded = new Set<string>();
  private readonly _refreshing = new Map<string, Promise<void>>();
  private readonly _again = new Set<string>();
  private readonly _reading = new Set<string>();
  private _looked: [number, number] = [0, 0];
  private _spans: ISpan[] = [];
  private _count = 0;
  private readonly _changed = new Signal<this, void>(this);
}
