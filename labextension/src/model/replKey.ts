/**
 * The key of a REPL: its id, or `owner/replId` for the REPL of another owner, whom an administrator of a hub visits.
 * Tabs, drafts and layouts are kept by it.
 */

export interface IReplKey {
  /** Empty for one's own. */
  owner: string;
  replId: string;
}

export function splitKey(key: string): IReplKey {
  const [replId, owner = ''] = key.split('/').reverse();
  return { owner, replId };
}

export function makeKey({ owner, replId }: IReplKey): string {
  return owner ? `${owner}/${replId}` : replId;
}

/** The parts of a route below `repl/` that is about this REPL. */
export function routeOf(key: string, name: string, ...parts: string[]): string[] {
  const { owner } = splitKey(key);
  return [...(owner ? ['owner', owner] : []), name, ...parts];
}
