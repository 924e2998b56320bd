/** The file beside a file in which a text is kept that can't take its place. */

import type { IFileStore } from './fileStore';

export class ConflictCopy {
  constructor(
    private readonly _of: string,
    private readonly _store: IFileStore
  ) {}

  /** Empty until there is one. */
  get path(): string {
    return this._path;
  }

  /** Nobody needs it any more. Rejects with a ReplError. */
  async delete(): Promise<void> {
    await this._store.delete(this._path);
    this.forget();
  }

  /** It stays, and the next text gets a copy of its own. */
  forget(): void {
    this._path = '';
    this._kept = null;
  }

  /** Keep a text; resolves to whether that has made a copy. Rejects with a ReplError. */
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
