/** The draft of one file: applies the draft of an earlier page, and keeps unsaved text until it is on disk. */

import { Drafts, makeDraft } from './drafts';
import { Later, Timer } from './timer';

/** A draft is written this many ms after the last key, unless the text is saved before that. */
const DELAY = 1000;

export class DraftKeeper {
  constructor(
    private readonly _path: string,
    private readonly _drafts: Drafts,
    later: Later
  ) {
    this._timer = new Timer(later);
  }

  /** True if the browser's storage has no room for the draft: unsaved text is lost when the page closes. */
  get hasNoRoom(): boolean {
    return this._hasNoRoom;
  }

  /** Unsaved text of an earlier page that no longer applies, because the file changed; empty if there is none. */
  get lost(): string {
    return this._lost;
  }

  /** Returns the file's text with the draft of an earlier page applied; null if there is no draft that applies. */
  replay(text: string, etag: string): string | null {
    const found = this._drafts.replay(this._path, text, etag);
    this._lost = found.kind === 'conflict' ? found.inserted : '';
    return found.kind === 'apply' ? found.text : null;
  }

  /** Call `keep` after a pause in typing. */
  later(keep: () => void): void {
    this._timer.set(keep, DELAY);
  }

  /**
   * Write a draft. One that is stored already is not written again: a browser gives a closing page half a second for
   * everything.
   *
   * @param disk - the file's text on disk, whose etag is `etag`
   * @param sent - a text that was sent to the file without an answer yet; null if there is none
   * @returns true if `hasNoRoom` has changed
   */
  keep(etag: string, disk: string, text: string, sent: string | null): boolean {
    const parts = [etag, disk, text, sent];
    const isSame = parts.every((part, at) => part === this._parts[at]);
    if (isSame && this._drafts.get(this._path)?.kept === this._kept) {
      return false;
    }
    const [had, now] = [this._hasNoRoom, Date.now()];
    this._hasNoRoom = !this._drafts.set(this._path, makeDraft(etag, disk, text, sent), now);
    [this._parts, this._kept] = [parts, now];
    return this._hasNoRoom !== had;
  }

  /** Delete the draft: all of the text is on disk. */
  drop(): void {
    this._timer.cancel();
    this._hasNoRoom = false;
    this._parts = [];
    this._drafts.delete(this._path);
  }

  dropLost(): void {
    this._lost = '';
    this._drafts.delete(this._path);
  }

  dispose(): void {
    this._timer.cancel();
  }

  /** The inputs of the last draft, and its time. Another tab may have deleted or replaced that draft since. */
  private _parts: (string | null)[] = [];
  private _kept = 0;
  private _lost = '';
  private _hasNoRoom = false;
  private readonly _timer: Timer;
}
