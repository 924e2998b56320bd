/** The drafts of REPLs in this browser: where they are stored, and when they are deleted. */

import type { Rest } from '../api/rest';
import { Drafts } from '../model/drafts';

/** A name for a REPL that is unique among all Jupyter servers at the same origin. */
export function scopeOf({ settings }: Rest, key: string): string {
  return `${new URL(settings.baseUrl).pathname}${key}`.replace(/^\/+/, '');
}

export function draftsOf(rest: Rest, key: string): Drafts {
  return new Drafts(window.localStorage, scopeOf(rest, key));
}

/** Delete a REPL and its drafts in this browser. Rejects with a ReplError. */
export async function removeRepl(rest: Rest, key: string): Promise<void> {
  await rest.remove(key);
  draftsOf(rest, key).clear();
}
