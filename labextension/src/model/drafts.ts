/** Unsaved text that survives the page: the change since the last acknowledged etag, in a storage that is synchronous. */

/** Replace `removed` UTF-16 units at `start` of the text with etag `etag` by `inserted`. */
export interface IDraft {
  etag: string;
  start: number;
  removed: number;
  inserted: string;
  /** Length of the text afterwards. */
  length: number;
}

export interface IStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The one change that turns `saved` into `text`. */
export function makeDraft(etag: string, saved: string, text: string): IDraft {
  const most = Math.min(saved.length, text.length);
  let start = 0;
  while (start < most && saved.charCodeAt(start) === text.charCodeAt(start)) {
    start++;
  }
  let end = 0;
  while (
    end < most - start &&
    saved.charCodeAt(saved.length - 1 - end) === text.charCodeAt(text.length - 1 - end)
  ) {
    end++;
  }
  return {
    etag,
    start,
    removed: saved.length - start - end,
    inserted: text.slice(start, text.length - end),
    length: text.length
  };
}

export type DraftOutcome =
  | { kind: 'apply'; text: string }
  /** The text holds the change already. */
  | { kind: 'done' }
  /** The file is no longer what the change was made to. */
  | { kind: 'conflict'; inserted: string };

/** What a draft means for the file as it is now. */
export function applyDraft(draft: IDraft, text: string, etag: string): DraftOutcome {
  const { start, removed, inserted, length } = draft;
  if (draft.etag === etag) {
    return { kind: 'apply', text: text.slice(0, start) + inserted + text.slice(start + removed) };
  }
  if (text.length === length && text.startsWith(inserted, start)) {
    return { kind: 'done' };
  }
  return { kind: 'conflict', inserted };
}

/** The drafts of one REPL. A full storage loses drafts, never text that is open. */
export class Drafts {
  constructor(
    private readonly _storage: IStorage,
    replId: string
  ) {
    this._prefix = `jupyter-repl:draft:${replId}:`;
  }

  get(path: string): IDraft | null {
    try {
      return JSON.parse(this._storage.getItem(this._prefix + path) ?? 'null');
    } catch {
      return null;
    }
  }

  /** Whether it could be kept. */
  set(path: string, draft: IDraft): boolean {
    try {
      this._storage.setItem(this._prefix + path, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
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

  private readonly _prefix: string;
}
