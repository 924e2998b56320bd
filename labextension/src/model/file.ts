/** One open file: its unsaved and its saved text, saving, and conflicts. All views of a path share one model. */

import { ISignal, Signal } from '@lumino/signaling';
import { ConflictCopy } from './conflict';
import { DraftKeeper } from './draftKeeper';
import type { Drafts } from './drafts';
import { IContent, IFileStore, ITextBuffer, readIfThere } from './fileStore';
import { DiskText } from './lineEnds';
import { ReplError } from './messages';
import { SentTexts } from './sentTexts';
import { Later, Timer } from './timer';

export const SAVE_DELAY = 300;
const DELETED_DELAY = 500;

/** `deleted`: the file was deleted on disk. The editor has the only copy, and the next edit creates the file again. */
export type FileState = 'saved' | 'unsaved' | 'saving' | 'conflict' | 'failed' | 'deleted';

export class FileModel {
  constructor(
    readonly path: string,
    private readonly _store: IFileStore,
    drafts: Drafts,
    private readonly _later: Later
  ) {
    this._timer = new Timer(_later);
    this.draft = new DraftKeeper(path, drafts, _later);
    this.sent = new SentTexts(path, _store);
    this.copy = new ConflictCopy(path, _store);
  }

  /** During a conflict it holds the editor's text; after the conflict, the text that was not chosen. */
  readonly copy: ConflictCopy;
  readonly draft: DraftKeeper;
  readonly sent: SentTexts;

  /** Why the last save failed. */
  error: ReplError | null = null;

  /** If true, edits are saved automatically. If false, only `save` saves, and a draft keeps unsaved text. */
  autoSave = true;

  get state(): FileState {
    return this._state;
  }

  get stateChanged(): ISignal<this, FileState> {
    return this._stateChanged;
  }

  get isDirty(): boolean {
    const buffer = this._buffer;
    const isSame = !buffer || buffer.version === this._savedVersion;
    return !isSame && (buffer.length !== this._saved.length || buffer.getText() !== this._saved);
  }

  /** Read the file. Resolves to the text to show, with a draft replayed. Rejects with a ReplError. */
  async load(): Promise<string> {
    const { text, etag } = await this._store.read(this.path);
    this._disk.text = text;
    this.etag = etag;
    const found = this.draft.replay(text, etag);
    this._replayed = found !== null;
    return found ?? text;
  }

  /** Edit through `buffer` from now on. A replayed draft counts as an edit and is saved like one. */
  bind(buffer: ITextBuffer): void {
    this._buffer = buffer;
    // An editor may show mixed line ends as one kind. That is not an edit: opening a file must never change it.
    this._saved = this._replayed ? this._disk.text : buffer.getText();
    this._savedVersion = this._replayed ? NaN : buffer.version;
    this.edited();
  }

  /** The buffer has changed. */
  edited(): void {
    if (!this.isDirty) {
      if (this._state === 'unsaved' || this._state === 'failed') {
        this._timer.cancel();
        this.draft.drop();
        this._setState('saved');
      }
      return;
    }
    if (this._state !== 'saving' && this._state !== 'conflict') {
      this._setState('unsaved');
    }
    if (this._state === 'conflict' || (this.autoSave && this._state === 'unsaved')) {
      this._timer.set(() => void this.save(), SAVE_DELAY);
    }
    if (!this.autoSave || this._state !== 'unsaved') {
      this.draft.later(() => this.keepDraft(false));
    }
  }

  /** Save now; resolves when nothing is left to save, or saving is not possible. */
  async save(): Promise<void> {
    if (this._state === 'conflict') {
      return this._keepCopy().catch(() => undefined);
    }
    this._timer.cancel();
    while (this._writing) {
      await this._writing;
    }
    if (this.isDirty && (this._state as FileState) !== 'conflict') {
      await this.writeNow();
    }
  }

  /** The file changed on disk. An editor without unsaved text takes the new text; else this is a conflict. */
  async changedOnDisk(etag: string | null): Promise<void> {
    if (etag === this.etag || this._state === 'saving') {
      return;
    }
    if (etag === null) {
      this._later(() => void this._checkDeleted().catch(() => undefined), DELETED_DELAY);
      return;
    }
    const wasDirty = this.isDirty;
    const content = await this._store.read(this.path);
    if (content.etag === this.etag || (this._state as FileState) === 'saving') {
      return;
    }
    // the editor's text, or a text that was sent and not answered
    if (content.text === this._ours || this.sent.has(content.text)) {
      this._follow(content);
    } else if (wasDirty || this.isDirty) {
      this._conflict();
    } else {
      this._take(content);
    }
  }

  /** A program that replaces a file may delete the old one first, so this checks some time after the event. */
  private async _checkDeleted(): Promise<void> {
    if (this._state === 'saved' && this._buffer && (await readIfThere(this._store, this.path)) === null) {
      this.etag = null;
      this._setState('deleted');
    }
  }

  /** Resolve a conflict: save the editor's text in the file, and keep the disk's text in a copy. */
  async keepMine(): Promise<void> {
    const ours = this.copy.path;
    const theirs = await readIfThere(this._store, this.path);
    this._timer.cancel();
    this.copy.forget();
    if (theirs) {
      await this.copy.keep(theirs.text);
    }
    this.etag = theirs?.etag ?? null;
    await this.writeNow();
    if (ours && this._state === 'saved') {
      await this._store.delete(ours);
    }
  }

  /** Resolve a conflict: show the disk's text, and keep the editor's text in a copy. */
  async takeTheirs(): Promise<void> {
    await this._keepCopy();
    this._take(await this._store.read(this.path));
  }

  /** Write the editor's text, even if it is the last saved text: the file may have been deleted or replaced. */
  async writeNow(): Promise<void> {
    this._writing = this._write();
    await this._writing;
  }

  /** The connection is back: save unsaved text, or else check whether the file changed on disk. */
  async reconnected(): Promise<void> {
    if (this.isDirty) {
      await this.save();
    } else {
      await this.changedOnDisk('');
    }
  }

  /** Keep unsaved text as a draft. If the page is closing (`isLeaving`), also try to send it to the file. */
  keepDraft(isLeaving: boolean): void {
    if (!this._buffer || !this.isDirty) {
      return;
    }
    const text = this._ours;
    if (this.draft.keep(this.etag ?? '', this._disk.text, text, this._sending ?? this.sent.last)) {
      this._stateChanged.emit(this._state);
    }
    if (isLeaving && this.autoSave && this.etag !== null && this._state !== 'conflict') {
      this._store.writeLast(this.path, text, this.etag);
      this.sent.add(text); // the page may come back from the browser's cache
    }
  }

  dispose(): void {
    this._timer.cancel();
    this.draft.dispose();
    this._buffer = null;
    Signal.clearData(this);
  }

  private _take(content: IContent): void {
    this._disk.text = content.text;
    this.etag = content.etag;
    this._timer.cancel();
    this._buffer?.setText(content.text);
    this._saved = this._buffer?.getText() ?? content.text;
    this._savedVersion = this._buffer?.version ?? NaN;
    this.draft.drop();
    this._setState('saved');
  }

  private async _write(): Promise<void> {
    const { version } = this._buffer!;
    const shown = this._buffer!.getText();
    const text = this._disk.of(shown);
    this._sending = text;
    this._setState('saving');
    this.draft.later(() => this.keepDraft(false)); // a save may wait for a server that is silent
    try {
      this.etag = await this.sent.replace(text, this.etag);
      [this._saved, this._disk.text] = [shown, text];
      this._savedVersion = version;
      this.error = null;
      this._writing = this._sending = null;
      this._settle();
    } catch (reason) {
      this.error = ReplError.from(reason);
      this.keepDraft(false);
      this._writing = this._sending = null;
      if (this.error.code === 'Conflict') {
        this._conflict();
      } else {
        this.sent.add(text);
        this._setState('failed');
      }
    }
  }

  /** The editor's text with the line ends that it would have on disk. */
  private get _ours(): string {
    return this._disk.of(this._buffer?.getText() ?? '');
  }

  /** The disk has the editor's text, or one that was sent before: only later edits are still unsaved. */
  private _follow({ text, etag }: IContent): void {
    this._saved = this._ours === text ? this._buffer!.getText() : text;
    this._disk.text = text;
    this._savedVersion = NaN;
    this.etag = etag;
    this._settle();
  }

  private _conflict(): void {
    if (this._state !== 'conflict') {
      this.copy.forget(); // the copy may hold the text of an earlier conflict
      this._setState('conflict');
    }
    this._timer.set(() => void this.save(), 0);
  }

  /** Until the person chooses, keep the editor's text in a copy beside the file. */
  private async _keepCopy(): Promise<void> {
    if (this._buffer && this._state === 'conflict' && (await this.copy.keep(this._ours))) {
      this._stateChanged.emit(this._state);
    }
  }

  private _settle(): void {
    if (this.isDirty) {
      this._setState('unsaved');
      this.edited();
    } else if (this._buffer) {
      this.draft.drop();
      this._setState('saved');
    }
  }

  private _setState(state: FileState): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private _buffer: ITextBuffer | null = null;
  private readonly _disk = new DiskText();
  /** The saved text as the editor shows it. */
  private _saved = '';
  private _savedVersion = NaN;
  private _replayed = false;
  /** The etag of the text that was last read or saved; null if there is none. */
  etag: string | null = null;
  private _state: FileState = 'saved';
  private _writing: Promise<void> | null = null;
  /** The text whose save is under way. */
  private _sending: string | null = null;
  private readonly _timer: Timer;
  private readonly _stateChanged = new Signal<this, FileState>(this);
}
