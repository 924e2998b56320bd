/** One open file: what is typed, what is saved, and how one becomes the other. One per path, whatever shows it. */

import { ISignal, Signal } from '@lumino/signaling';
import { applyDraft, Drafts, makeDraft } from './drafts';
import { ReplError } from './messages';

export const SAVE_DELAY = 300;

export interface IContent {
  text: string;
  etag: string;
}

/** Where files come from and go to; each call rejects with a ReplError. */
export interface IFileStore {
  read(path: string): Promise<IContent>;
  /** @param etag - what is to be replaced, null whatever it is; resolves to the new etag */
  write(path: string, text: string, etag: string | null): Promise<string>;
  /** Send now, with the page about to go; nobody waits for it. */
  writeLast(path: string, text: string, etag: string): void;
}

/** What is edited: a Monaco model, or a string in a test. */
export interface ITextBuffer {
  getText(): string;
  /** Replace the text, keeping undo and, where that makes sense, the cursor. */
  setText(text: string): void;
}

export type FileState = 'saved' | 'unsaved' | 'saving' | 'conflict' | 'failed';

export class FileModel {
  constructor(
    readonly path: string,
    private readonly _store: IFileStore,
    private readonly _drafts: Drafts,
    private readonly _later: (call: () => void, ms: number) => () => void
  ) {}

  get state(): FileState {
    return this._state;
  }

  /** Why the last save failed. */
  get error(): ReplError | null {
    return this._error;
  }

  get stateChanged(): ISignal<this, FileState> {
    return this._stateChanged;
  }

  get isDirty(): boolean {
    return this._buffer !== null && this._buffer.getText() !== this._saved;
  }

  /** Read the file; the text to show, with a draft replayed. Rejects with a ReplError. */
  async load(): Promise<string> {
    const { text, etag } = await this._store.read(this.path);
    this._disk = text;
    this._etag = etag;
    this._replayed = false;
    const draft = this._drafts.get(this.path);
    const outcome = draft && applyDraft(draft, text, etag);
    if (outcome?.kind === 'apply') {
      this._replayed = true;
      return outcome.text;
    }
    if (outcome?.kind === 'done') {
      this._drafts.delete(this.path);
    }
    this._lostDraft = outcome?.kind === 'conflict' ? outcome.inserted : '';
    return text;
  }

  /** Unsaved text of an earlier page that fits the file no longer; empty if there is none. */
  get lostDraft(): string {
    return this._lostDraft;
  }

  dropDraft(): void {
    this._lostDraft = '';
    this._drafts.delete(this.path);
  }

  /** Edit through `buffer` from now on; what differs from the file already is saved. */
  bind(buffer: ITextBuffer): void {
    this._buffer = buffer;
    // An editor may show mixed line ends as one kind. That alone is no change: opening must never alter a file.
    this._saved = this._replayed ? this._disk : buffer.getText();
    this.edited();
  }

  /** The buffer has changed. */
  edited(): void {
    if (!this.isDirty) {
      if (this._state === 'unsaved' || this._state === 'failed') {
        this._cancel();
        this._setState('saved');
      }
      return;
    }
    if (this._state !== 'saving' && this._state !== 'conflict') {
      this._setState('unsaved');
      this._schedule();
    }
  }

  /** Save now; resolves when nothing is left to save, or saving is not possible. */
  async save(): Promise<void> {
    this._cancel();
    while (this._writing) {
      await this._writing;
    }
    if (this.isDirty && this._state !== 'conflict') {
      this._writing = this._write();
      await this._writing;
    }
  }

  /** The disk has another version. A clean editor follows it, a changed one is asked about. */
  async changedOnDisk(etag: string | null): Promise<void> {
    if (etag === this._etag || this._state === 'saving') {
      return;
    }
    if (etag === null) {
      return; // deleted, or half way through being replaced: the text is kept, and saving it says what is so
    }
    const wasDirty = this.isDirty;
    const content = await this._store.read(this.path);
    if (content.etag === this._etag || (this._state as FileState) === 'saving') {
      return;
    }
    if (wasDirty || this.isDirty) {
      this._cancel();
      this._setState('conflict');
    } else {
      this._take(content);
    }
  }

  /** End a conflict: save our text over the disk's. */
  async keepMine(): Promise<void> {
    this._etag = await this._currentEtag();
    this._setState('unsaved');
    await this.save();
  }

  /** End a conflict: drop our text. */
  async takeTheirs(): Promise<void> {
    this._take(await this._store.read(this.path));
  }

  /** The connection is back: save what waits, else see whether the disk has moved on. */
  async reconnected(): Promise<void> {
    if (this.isDirty) {
      await this.save();
    } else {
      await this.changedOnDisk('');
    }
  }

  /** The page is about to go: keep the change where that is possible at once. */
  keepDraft(isLeaving: boolean): void {
    if (!this._buffer || !this.isDirty) {
      return;
    }
    const text = this._buffer.getText();
    this._drafts.set(this.path, makeDraft(this._etag ?? '', this._disk, text, this._sending));
    if (isLeaving && this._etag !== null && this._state !== 'conflict') {
      this._store.writeLast(this.path, text, this._etag);
    }
  }

  dispose(): void {
    this._cancel();
    this._buffer = null;
    Signal.clearData(this);
  }

  private _take(content: IContent): void {
    this._disk = content.text;
    this._etag = content.etag;
    this._buffer?.setText(content.text);
    this._saved = this._buffer?.getText() ?? content.text;
    this._drafts.delete(this.path);
    this._setState('saved');
  }

  private async _write(): Promise<void> {
    const text = this._buffer!.getText();
    this._sending = text;
    this._setState('saving');
    try {
      this._etag = await this._writeText(text);
      this._saved = this._disk = text;
      this._error = null;
      this._writing = this._sending = null;
      this._settle();
    } catch (reason) {
      this._error = ReplError.from(reason);
      this.keepDraft(false);
      this._writing = this._sending = null;
      this._setState(this._error.code === 'Conflict' ? 'conflict' : 'failed');
    }
  }

  /** A file that was deleted meanwhile is made again: there is nothing that this could overwrite. */
  private async _writeText(text: string): Promise<string> {
    try {
      return await this._store.write(this.path, text, this._etag);
    } catch (reason) {
      if (ReplError.from(reason).code === 'Conflict' && (await this._currentEtag()) === null) {
        return this._store.write(this.path, text, null);
      }
      throw reason;
    }
  }

  private _settle(): void {
    if (this.isDirty) {
      this._setState('unsaved');
      this._schedule();
    } else if (this._buffer) {
      this._drafts.delete(this.path);
      this._setState('saved');
    }
  }

  private async _currentEtag(): Promise<string | null> {
    try {
      return (await this._store.read(this.path)).etag;
    } catch (reason) {
      if (ReplError.from(reason).code === 'FileNotFound') {
        return null;
      }
      throw reason;
    }
  }

  private _schedule(): void {
    this._cancel();
    this._cancelTimer = this._later(() => void this.save(), SAVE_DELAY);
  }

  private _cancel(): void {
    this._cancelTimer?.();
    this._cancelTimer = null;
  }

  private _setState(state: FileState): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private _buffer: ITextBuffer | null = null;
  /** The text on disk, and as the editor shows it. */
  private _disk = '';
  private _saved = '';
  private _replayed = false;
  private _etag: string | null = null;
  private _state: FileState = 'saved';
  private _error: ReplError | null = null;
  private _lostDraft = '';
  private _writing: Promise<void> | null = null;
  /** The text that is on its way to the file. */
  private _sending: string | null = null;
  private _cancelTimer: (() => void) | null = null;
  private readonly _stateChanged = new Signal<this, FileState>(this);
}
