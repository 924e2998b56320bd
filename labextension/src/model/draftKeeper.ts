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
   * @param disk - the text that the file has, with its etag
   * @param sending - a text that is on its way there
   * @returns whether `hasNoRoom` is another than before
   */
  keep(etag: string, disk: string, text: string, sending: string | null): boolean {
    const had = this._hasNoRoom;
    this._hasNoRoom = !this._drafts.set(this._path, makeDraft(etag, disk, text, sending));
    return this._hasNoRoom !== had;
  }

  /** Delete the draft: all of the text is on disk. */
  drop(): void {
    this._timer.cancel();
    this._hasNoRoom = false;
    this._drafts.delete(this._path);
  }

  dropLost(): void {
    this._lost = '';
    this._drafts.delete(this._path);
  }

  dispose(): void {
    this._timer.cancel();
  }

  private _lost = '';
  private _hasNoRoom = false;
  private readonly _timer: Timer;
}
