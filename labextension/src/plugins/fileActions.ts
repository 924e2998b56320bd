/** The actions on files in the tree. Each action reports its errors, and a deletion can be undone. */

import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Files } from '../api/files';
import { makeFree } from '../model/freeName';
import { ReplError } from '../model/messages';
import { isWithin, join, marked, nameOf, parentOf, topmost } from '../model/paths';
import type { IRow } from '../model/tree';
import { download } from '../widgets/download';
import { notify } from '../widgets/notices';
import type { ITreeActions, Tree } from '../widgets/tree';
import type { Documents } from './documents';
import { IUpload, readChosen, readDropped, Uploads } from './uploads';

/** How long a notification offers to undo. */
const UNDO_MS = 15_000;

export interface IFileActionsOptions {
  tree(): Tree;
  files: Files;
  documents(): Documents;
  /** The address of a folder's zip. */
  archiveUrl(path: string): string;
  trans: TranslationBundle;
}

export class FileActions implements ITreeActions {
  constructor(private readonly _options: IFileActionsOptions) {
    this._uploads = new Uploads(_options.files, _options.trans);
  }

  // -- one by one, by name

  rename(path: string, name: string): void {
    const to = join(parentOf(path), name);
    this._do(async () => {
      await this._saveWithin(path);
      await this._options.files.rename(path, name);
      await this._moved(path, to);
    });
  }

  create(path: string, type: 'file' | 'dir'): void {
    const { files } = this._options;
    const documents = this._documents;
    this._do(async () => {
      await files.create(path, type); // with the folders around it
      await this._tree.reveal(path);
      if (type === 'file') {
        documents.open(path);
      }
    });
  }

  // -- the selection

  get selected(): string[] {
    return topmost(this._tree.selection.paths);
  }

  /** The focused row. */
  get row(): IRow | null {
    const { model, selection } = this._tree;
    return model.row(model.indexOf(selection.focused));
  }

  startCreate(type: 'file' | 'dir'): void {
    void this._tree.startCreate(this._tree.folder, type);
  }

  startRename(): void {
    if (this.row) {
      this._tree.startRename(this.row.path);
    }
  }

  /** Open the selected files. */
  open(options: { renderer?: string; split?: 'right' | 'bottom' } = {}): void {
    const { model } = this._tree;
    const rows = this._tree.selection.paths.map(path => model.row(model.indexOf(path)));
    rows.forEach(row => row?.type === 'file' && this._documents.open(row.path, options));
  }

  duplicate(): void {
    const paths = this.selected;
    this._do(async () => {
      for (const path of paths) {
        await this._copyBeside(path, path);
      }
    });
  }

  /** Move the selected files to the trash; undo restores them from there. */
  delete(): void {
    const before = this._deleted;
    this._deleted = this._delete(this.selected).then(items => (items.length ? items : before));
  }

  /** Restore `items`, by default the last deletion. Each deletion is restored once. Waits for one that is under way. */
  undoDelete(items: string[] | Promise<string[]> = this._deleted): void {
    this._do(async () => {
      for (const item of (await items).splice(0)) {
        await this._tree.reveal(await this._options.files.restore(item));
      }
    });
  }

  cut(): void {
    this._clip = { paths: this.selected, isCut: true };
    this._tree.mark({ cut: new Set(this._clip.paths) });
  }

  copy(): void {
    this._clip = { paths: this.selected, isCut: false };
    this._tree.mark({ cut: new Set() });
  }

  get canPaste(): boolean {
    return this._clip.paths.length > 0;
  }

  paste(): void {
    const { paths, isCut } = this._clip;
    if (isCut) {
      this._clip = { paths: [], isCut: false };
      this._tree.mark({ cut: new Set() });
    }
    this.move(paths, this._tree.folder, !isCut);
  }

  move(paths: string[], folder: string, isCopy: boolean): void {
    const { files } = this._options;
    this._do(async () => {
      for (const path of topmost(paths)) {
        const to = join(folder, nameOf(path));
        await this._saveWithin(path);
        if (isCopy) {
          await this._copyBeside(path, to);
        } else if (to !== path && !isWithin(folder, path)) {
          await files.move(path, to);
          await this._moved(path, to);
        }
      }
    });
  }

  copyPath(): void {
    Clipboard.copyToSystem(this.selected.join('\n'));
  }

  /** Download files as they are and folders as zips. If nothing is selected, download the whole project. */
  download(): void {
    const { files, archiveUrl } = this._options;
    const { model } = this._tree;
    const paths = this.selected.length ? this.selected : [''];
    for (const path of paths) {
      const isFile = model.row(model.indexOf(path))?.type === 'file';
      download(isFile ? files.url(path) : archiveUrl(path), isFile ? nameOf(path) : '');
    }
  }

  // -- from outside

  upload(items: DataTransferItemList, folder: string): void {
    const uploads = readDropped(items, folder);
    this._do(async () => this._send(await uploads));
  }

  /** Let the person choose files, or a folder. */
  chooseUpload(isFolder: boolean): void {
    const { folder } = this._tree;
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.webkitdirectory = isFolder;
    input.onchange = () => this._do(() => this._send(readChosen(input.files ?? [], folder)));
    input.click();
  }

  private async _send(uploads: IUpload[]): Promise<void> {
    if (uploads.length) {
      await this._uploads.send(uploads);
    }
  }

  /** Delete paths. Resolves to their items in the trash; after an error these are fewer than the paths. */
  private async _delete(paths: string[]): Promise<string[]> {
    const { files, trans } = this._options;
    const documents = this._documents;
    const items: string[] = [];
    try {
      await documents.texts.save(); // so that an undo restores what was typed
      for (const path of paths) {
        items.push(await files.delete(path));
        documents.deleted(path);
      }
    } catch (reason) {
      if (ReplError.from(reason).code === 'DiskFull') {
        await this._deleteForever(paths.slice(items.length));
      } else {
        this._tell(reason);
      }
    }
    if (items.length) {
      const what = trans._n('Deleted %2.', 'Deleted %1 files and folders.', items.length, paths[0]);
      const undo = { label: trans.__('Undo'), callback: () => this.undoDelete(items) };
      notify('info', what, { autoClose: UNDO_MS, actions: [undo] }, trans);
    }
    return items;
  }

  /** The trash is on the full disk, so only a permanent deletion makes room. */
  private async _deleteForever(paths: string[]): Promise<void> {
    const { files, trans } = this._options;
    const body = trans._n(
      'The disk is full, and the trash is on it. Delete %2 for good? That cannot be undone.',
      'The disk is full, and the trash is on it. Delete %1 files and folders for good? That cannot be undone.',
      paths.length,
      paths[0]
    );
    const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete for good') })];
    const { button } = await showDialog({ title: trans.__('Delete for good?'), body, buttons });
    if (!button.accept) {
      return;
    }
    try {
      for (const path of paths) {
        await files.delete(path, true);
        this._documents.deleted(path);
      }
    } catch (reason) {
      this._tell(reason);
    }
  }

  /** Save what was typed before files are moved or copied. Rejects if a text at or below `path` can't be saved. */
  private async _saveWithin(path: string): Promise<void> {
    const { texts } = this._documents;
    await texts.save();
    const unsaved = [...texts.dirty].find(other => isWithin(other, path));
    if (unsaved !== undefined) {
      const { trans } = this._options;
      const message = trans.__('%1 has text that is not saved.', unsaved);
      throw new ReplError('Unavailable', message, trans.__('The message above its editor says why.'));
    }
  }

  private async _moved(from: string, to: string): Promise<void> {
    this._documents.follow(from, to);
    await this._tree.reveal(to);
  }

  /** Copy to the first name that is free: `main (copy).py`, `main (copy 2).py`. */
  private async _copyBeside(path: string, to: string): Promise<void> {
    const { files } = this._options;
    const names = [...(path === to ? [] : [to]), marked(to, 'copy')];
    const name = await makeFree(
      attempt => names[attempt - 1] ?? marked(to, `copy ${attempt - names.length + 1}`),
      name => files.copy(path, name)
    );
    await this._tree.reveal(name);
  }

  /** Run an action, and report its error. */
  private _do(action: () => Promise<void>): void {
    action().catch(reason => this._tell(reason));
  }

  private _tell(reason: unknown): void {
    notify('error', ReplError.from(reason).text, { autoClose: 8000 }, this._options.trans);
  }

  private get _documents(): Documents {
    return this._options.documents();
  }

  private get _tree(): Tree {
    return this._options.tree();
  }

  private readonly _uploads: Uploads;
  private _deleted: Promise<string[]> = Promise.resolve([]);
  private _clip: { paths: string[]; isCut: boolean } = { paths: [], isCut: false };
}
