/** Sends the texts of one file. One that was sent without an answer may have arrived, and is then no other version. */

import { ISignal, Signal } from '@lumino/signaling';
import { IFileStore, writeOrMake } from './fileStore';
import { ReplError } from './messages';

const MOST = 3;

export class SentTexts {
  constructor(
    private readonly _path: string,
    private readonly _store: IFileStore
  ) {}

  /** The share of a large text that was sent, 0 to 1; null while nothing is. */
  get progress(): number | null {
    return this._progress;
  }

  get progressed(): ISignal<this, void> {
    return this._progressed;
  }

  has(text: string): boolean {
    return this._texts.includes(text);
  }

  /** A save has failed, nobody knows how. */
  add(text: string): void {
    this._texts = [...this._texts, text].slice(-MOST);
  }

  /** Save a text in place of the version `etag`, or of one that was sent; its etag. Rejects with a ReplError. */
  async replace(text: string, etag: string | null): Promise<string> {
    try {
      const saved = await this._replace(text, etag);
      this._texts = [];
      return saved;
    } finally {
      this._progress = null;
    }
  }

  private async _replace(text: string, etag: string | null): Promise<string> {
    const onProgress = (share: number): void => {
      this._progress = share;
      this._progressed.emit();
    };
    try {
      return await writeOrMake(this._store, this._path, text, etag, onProgress);
    } catch (reason) {
      if (ReplError.from(reason).code !== 'Conflict' || !this._texts.length) {
        throw reason;
      }
      const there = await this._store.read(this._path);
      if (!this.has(there.text)) {
        throw reason;
      }
      return this._store.write(this._path, text, there.etag, onProgress);
    }
  }

  private _texts: string[] = [];
  private _progress: number | null = null;
  private readonly _progressed = new Signal<this, void>(this);
}
