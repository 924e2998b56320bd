/** Which files of a project are in S3 and which are not yet, as sync reports it. No DOM and no network. */

import { ISignal, Signal } from '@lumino/signaling';

export type SyncState = 'restoring' | 'saved' | 'saving' | 'away' | 'fenced' | 'gone' | 'failed';

/** The `synced` event of docs/protocol.md. */
export interface ISynced {
  state: SyncState;
  /** The store's last acknowledgement, in seconds since the epoch. */
  when: number;
  pending: number;
  paths: string[];
  reason: string;
  hint: string;
  uploaded: { path: string; etag: string }[];
  reports: { path: string; reason: string }[];
  leftOut: string[];
  missing: { path: string; command: string }[];
  restored: { files: number; totalFiles: number; bytes: number; totalBytes: number };
}

export class SyncModel {
  /** Null where the files are on the server's own disk. */
  get marks(): ISynced | null {
    return this._marks;
  }

  get changed(): ISignal<this, ISynced> {
    return this._changed;
  }

  /** Take new marks; null if there is no sync. */
  apply(marks: ISynced | null): void {
    this._marks = marks;
    if (marks) {
      marks.uploaded.forEach(({ path, etag }) => this._uploaded.set(path, etag));
      this._changed.emit(marks);
    }
  }

  /**
   * Returns the paths of the files whose last saved text is not in S3 yet. A file that was not saved since it was first
   * passed in counts as being in S3, unless sync reports it as pending.
   */
  waiting(files: Iterable<[path: string, etag: string]>): Set<string> {
    const waiting = new Set<string>(this._marks ? this._marks.paths : []);
    for (const [path, etag] of this._marks ? files : []) {
      const first = this._first.get(path) ?? etag;
      this._first.set(path, first);
      if (etag !== first && this._uploaded.get(path) !== etag) {
        waiting.add(path);
      } else if (etag !== first) {
        this._first.set(path, etag);
      }
    }
    return waiting;
  }

  private _marks: ISynced | null = null;
  private readonly _uploaded = new Map<string, string>();
  /** For each file that was passed to `waiting`, an etag that is in S3. */
  private readonly _first = new Map<string, string>();
  private readonly _changed = new Signal<this, ISynced>(this);
}
