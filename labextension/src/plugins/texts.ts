/**
 * The open texts of one tab: one for each file, however many views show it. Saves them, keeps their drafts, and applies
 * changes on disk.
 */

import { ISignal, Signal } from '@lumino/signaling';
import type { Files } from '../api/files';
import type { Drafts } from '../model/drafts';
import { FileModel, FileState } from '../model/file';
import type { IChanged } from '../model/messages';
import { later } from '../model/timer';
import { Monaco, TextDocument } from '../monaco/textDocument';

/** States in which nothing waits to be saved. */
const CALM: ReadonlySet<FileState> = new Set<FileState>(['saved', 'deleted']);

export class Texts {
  /** @param _scope - keeps the texts of different REPLs apart */
  constructor(
    private readonly _files: Files,
    private readonly _drafts: Drafts,
    private readonly _scope: string,
    private readonly _monaco: () => Promise<Monaco>
  ) {}

  /** A file's state has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get states(): FileState[] {
    return [...this._open.values()].map(({ file }) => file.state);
  }

  /** Paths of files with text that is not saved. */
  get dirty(): Set<string> {
    const unsaved = [...this._open.values()].filter(({ file }) => !CALM.has(file.state));
    return new Set(unsaved.map(({ file }) => file.path));
  }

  /** Paths and etags of what was saved last. */
  get saved(): [path: string, etag: string][] {
    return [...this._open.values()].flatMap(({ file }): [string, string][] =>
      file.etag === null ? [] : [[file.path, file.etag]]
    );
  }

  /** True if text is lost when the page closes now. */
  get isAtRisk(): boolean {
    return [...this._open.values()].some(({ file }) => file.draft.hasNoRoom);
  }

  get autoSave(): boolean {
    return this._autoSave;
  }

  set autoSave(value: boolean) {
    this._autoSave = value;
    this._open.forEach(({ file }) => (file.autoSave = value));
  }

  has(path: string): boolean {
    return this._open.has(path);
  }

  /** The text of a file, which is read if it is not open. */
  get(path: string): TextDocument {
    const known = this._open.get(path);
    if (known) {
      return known;
    }
    const file = new FileModel(path, this._files, this._drafts, later);
    file.autoSave = this._autoSave;
    file.stateChanged.connect(() => this._changed.emit());
    const check = (text: string): ReturnType<Files['checkSettings']> => this._files.checkSettings(text);
    const made = new TextDocument(file, this._monaco, this._scope, check);
    this._open.set(path, made);
    return made;
  }

  /** Close a text that no view shows any more. */
  close(path: string): void {
    this._open.get(path)?.dispose();
    this._open.delete(path);
  }

  async save(): Promise<void> {
    await Promise.all([...this._open.values()].map(({ file }) => file.save()));
  }

  /** The tab is about to close: keep drafts, and save. */
  leave(): Promise<void> {
    this.keepDrafts(false);
    return this.save();
  }

  /** @param isLeaving - the page is about to close */
  keepDrafts(isLeaving: boolean): void {
    this._open.forEach(({ file }) => file.keepDraft(isLeaving));
  }

  /** Apply changes on disk. */
  apply(change: IChanged): void {
    const etagOf = new Map(change.files?.map(({ path, etag }) => [path, etag]));
    for (const [path, { file }] of this._open) {
      const etag = change.all ? '' : etagOf.get(path);
      if (etag !== undefined) {
        file.changedOnDisk(etag).catch(() => undefined);
      }
    }
  }

  /** The connection is back. */
  reconnected(): void {
    this._open.forEach(({ file }) => void file.reconnected().catch(() => undefined));
  }

  dispose(): void {
    [...this._open.keys()].forEach(path => this.close(path));
    Signal.clearData(this);
  }

  private _autoSave = true;
  private readonly _open = new Map<string, TextDocument>();
  private readonly _changed = new Signal<this, void>(this);
}
