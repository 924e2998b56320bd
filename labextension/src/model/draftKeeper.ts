/** The draft of one file: what an earlier page has left of it, and what this page keeps until the text is on disk. */

import { Drafts, makeDraft } from './drafts';
import { Later, Timer } from './timer';

/** After the last key, where that is not saved by then. */
const DELAY = 1000;

export class DraftKeeper {
  constructor(
    private readonly _path: string,
    private readonly _drafts: Drafts,
    later: Later
  ) {
    this._timer = new Timer(later);
  }

  /** Whether the browser has no room for it: what is not saved goes with the page. */
  get hasNoRoom(): boolean {
    return this._hasNoRoom;
  }

  /** Unsaved text of an earlier page that fits the file no longer; empty if there is none. */
  get lost(): string {
    return this._lost;
  }

  /** The file's text with what an earlier page has left; null if there is nothing that fits. */
  replay(text: string, etag: string): string | null {
    const found = this._drafts.replay(this._path, text, etag);
    this._lost = found.kind === 'conflict' ? found.inserted : '';
    return found.kind === 'apply' ? found.text : null;
  }

  /** Call `keep` when no key has come for a while. */
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

  /** All of the text is on disk. */
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
