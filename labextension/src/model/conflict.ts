/** The conflict copy: a file beside the original that holds the other text of a conflict. */

import type { IFileStore } from './fileStore';

export class ConflictCopy {
  constructor(
    private readonly _of: string,
    private readonly _store: IFileStore
  ) {}

  /** The path of the copy; empty while there is none. */
  get path(): string {
    return this._path;
  }

  /** Delete the copy, which is no longer needed. Rejects with a ReplError. */
  async delete(): Promise<void> {
    await this._store.delete(this._path);
    this.forget();
  }

  /** Keep the file, but stop using it: the next text goes into a new copy. */
  forget(): void {
    this._path = '';
    this._kept = null;
  }

  /** Write a text into the copy. Resolves to true if that created the copy. Rejects with a ReplError. */
  async keep(text: string): Promise<boolean> {
    await this._keeping.catch(() => undefined);
    if (text === this._kept) {
      return false;
    }
    const isNew = this._path === '';
    this._keeping = this._write(text);
    await this._keeping;
    return isNew;
  }

  private async _write(text: string): Promise<void> {
    if (this._path) {
      await this._store.write(this._path, text, null, () => undefined);
    } else {
      this._path = await this._store.writeCopy(this._of, text);
    }
    this._kept = text;
  }

  private _path = '';
  private _kept: string | null = null;
  private _keeping: Promise<void> = Promise.resolve();
}
