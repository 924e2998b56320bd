/** Sends the texts of one file. A text that was sent and not answered may be on disk: that is not a conflict. */

import { ISignal, Signal } from '@lumino/signaling';
import { IFileStore, writeOrMake } from './fileStore';
import { ReplError } from './messages';

const MOST = 3;

export class SentTexts {
  constructor(
    private readonly _path: string,
    private readonly _store: IFileStore
  ) {}

  /** The share of a large text that was sent, 0 to 1; null while none is being sent. */
  get progress(): number | null {
    return this._progress;
  }

  get progressed(): ISignal<this, void> {
    return this._progressed;
  }

  /** The text that was sent last without an answer; null if there is none. */
  get last(): string | null {
    return this._texts.at(-1) ?? null;
  }

  has(text: string): boolean {
    return this._texts.includes(text);
  }

  /** Remember a text whose save failed: it may be on disk nevertheless. */
  add(text: string): void {
    this._texts = [...this._texts, text].slice(-MOST);
  }

  /**
   * Replace the version `etag`, or a text that was sent before, by a new text. Resolves to the new etag, rejects with a
   * ReplError.
   */
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
