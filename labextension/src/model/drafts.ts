/**
 * Unsaved text that survives the page: the change since the last acknowledged etag. The storage has to be synchronous,
 * because a closing page can't wait.
 */

/** Replace `removed` UTF-16 units at `start` by `inserted`. */
export interface IChange {
  start: number;
  removed: number;
  inserted: string;
}

export interface IDraft {
  /** The etag of the text that `change` applies to. */
  etag: string;
  change: IChange;
  /** The fingerprint of the text after `change`; empty for a text of more than LARGE characters. */
  result: string;
  /** A text that was sent without an answer: its fingerprint, and the change that turns it into the editor's text. */
  sent?: { fingerprint: string; change: IChange };
  /** When the draft was written, in ms since the epoch. */
  kept?: number;
}

const PREFIX = 'jupyter-repl:draft:';
/**
 * UTF-16 units above which a draft has no fingerprint of its text: that would take longer than a closing page has. Such a
 * text can't be sent to the file by a closing page either, so the file has it only if it was sent before, see `sent`.
 */
const LARGE = 1 << 16;
/** If the storage is full, drafts older than this are deleted to make room, in ms. */
const OLD = 30 * 24 * 3600 * 1000;

export interface IStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The one change that turns `before` into `after`. */
export function makeChange(before: string, after: string): IChange {
  const most = Math.min(before.length, after.length);
  const start = commonLength(most, at => before.slice(at.from, at.to) === after.slice(at.from, at.to));
  const end = commonLength(
    most - start,
    ({ from, to }) =>
      before.slice(before.length - to, before.length - from) ===
      after.slice(after.length - to, after.length - from)
  );
  const removed = before.length - start - end;
  return { start, removed, inserted: after.slice(start, after.length - end) };
}

/**
 * How many of `most` units are the same, where `isSame` compares a range of them. It compares long ranges first: a page
 * that closes has no time for a loop over millions of units.
 */
function commonLength(most: number, isSame: (at: { from: number; to: number }) => boolean): number {
  let length = 0;
  for (let step = LARGE; step > 0; step >>= 1) {
    while (length + step <= most && isSame({ from: length, to: length + step })) {
      length += step;
    }
  }
  return length;
}

export function applyChange(text: string, { start, removed, inserted }: IChange): string {
  return text.slice(0, start) + inserted + text.slice(start + removed);
}

/** @param sent - a text that was sent to the file without an answer yet; the page may close before it comes */
export function makeDraft(etag: string, saved: string, text: string, sent: string | null = null): IDraft {
  return {
    etag,
    change: makeChange(saved, text),
    result: text.length > LARGE ? '' : fingerprint(text),
    ...(sent === null ? {} : { sent: { fingerprint: fingerprint(sent), change: makeChange(sent, text) } })
  };
}

export type DraftOutcome =
  | { kind: 'apply'; text: string }
  /** The file has the change already. */
  | { kind: 'done' }
  /** The file no longer has the text that the change applies to. */
  | { kind: 'conflict'; inserted: string };

/** Decides what a draft means for the file's current text and etag. */
export function applyDraft(draft: IDraft, text: string, etag: string): DraftOutcome {
  if (draft.etag === etag) {
    return { kind: 'apply', text: applyChange(text, draft.change) };
  }
  const found = fingerprint(text);
  if (found === draft.result) {
    return { kind: 'done' };
  }
  if (found === draft.sent?.fingerprint) {
    const ours = applyChange(text, draft.sent.change);
    return ours === text ? { kind: 'done' } : { kind: 'apply', text: ours };
  }
  return { kind: 'conflict', inserted: draft.change.inserted };
}

/** A synchronous digest: a closing page can't wait for the browser's own, which is asynchronous. */
function fingerprint(text: string): string {
  let [a, b] = [0x811c9dc5, text.length];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit ^ (b >>> 15), 0x5bd1e995);
  }
  return [text.length, a >>> 0, b >>> 0].map(part => part.toString(36)).join('.');
}

/** The drafts of one REPL. `set` deletes old drafts if the storage is full, and returns false if that is not enough. */
export class Drafts {
  constructor(
    private readonly _storage: IStorage,
    replId: string
  ) {
    this._prefix = `${PREFIX}${replId}:`;
  }

  get(path: string): IDraft | null {
    try {
      const draft = JSON.parse(this._storage.getItem(this._prefix + path) ?? 'null');
      return draft?.change ? draft : null;
    } catch {
      return null;
    }
  }

  /** Applies the draft of an earlier page to the file's text. Deletes a draft whose change the file has already. */
  replay(path: string, text: string, etag: string): DraftOutcome {
    const draft = this.get(path);
    const outcome: DraftOutcome = draft ? applyDraft(draft, text, etag) : { kind: 'done' };
    if (draft && outcome.kind === 'done') {
      this.delete(path);
    }
    return outcome;
  }

  /** Returns true if the draft was stored. */
  set(path: string, draft: IDraft, now = Date.now()): boolean {
    const text = JSON.stringify({ ...draft, kept: now });
    return this._put(path, text) || (this._forgetOld(now) && this._put(path, text));
  }

  /** Delete all drafts, because the REPL was deleted. */
  clear(): void {
    this.paths().forEach(path => this.delete(path));
  }

  delete(path: string): void {
    this._storage.removeItem(this._prefix + path);
  }

  /** The paths that have a draft. */
  paths(): string[] {
    const found: string[] = [];
    for (let index = 0; index < this._storage.length; index++) {
      const key = this._storage.key(index);
      if (key?.startsWith(this._prefix)) {
        found.push(key.slice(this._prefix.length));
      }
    }
    return found.sort();
  }

  private _put(path: string, text: string): boolean {
    try {
      this._storage.setItem(this._prefix + path, text);
      return true;
    } catch {
      return false;
    }
  }

  /** Deletes the old drafts of all REPLs; returns true if there were any. */
  private _forgetOld(now: number): boolean {
    const keys = Array.from({ length: this._storage.length }, (_, index) => this._storage.key(index));
    const old = keys.filter(key => key?.startsWith(PREFIX) && now - keptAt(this._storage.getItem(key)) > OLD);
    old.forEach(key => this._storage.removeItem(key!));
    return old.length > 0;
  }

  private readonly _prefix: string;
}

/** When a draft was written. Drafts of earlier versions hold no time and count as old. */
function keptAt(text: string | null): number {
  try {
    return Number(JSON.parse(text ?? '{}').kept ?? 0);
  } catch {
    return 0;
  }
}
