/** The drafts of REPLs in this browser: where they are, and when they go. */

import type { Rest } from '../api/rest';
import { Drafts } from '../model/drafts';

/** A name that no REPL of another Jupyter server at the same origin has. */
export function scopeOf({ settings }: Rest, replId: string): string {
  return `${new URL(settings.baseUrl).pathname}${replId}`.replace(/^\/+/, '');
}

export function draftsOf(rest: Rest, replId: string): Drafts {
  return new Drafts(window.localStorage, scopeOf(rest, replId));
}

/** Delete a REPL, and what is kept of it here. Rejects with a ReplError. */
export async function removeRepl(rest: Rest, replId: string): Promise<void> {
  await rest.remove(replId);
  draftsOf(rest, replId).clear();
}
