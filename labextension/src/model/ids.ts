/** The rule for the id of a REPL, the same as in the server's `contract/ids.py`, and suggestions for ids. */

import { ADJECTIVES, NOUNS } from './words';

export const MAX_ID_LENGTH = 48;

export type IdProblem = 'empty' | 'too-long' | 'characters' | 'hyphens';

/** What is wrong with `id`; null if it is valid. */
export function idProblem(id: string): IdProblem | null {
  if (id === '') {
    return 'empty';
  }
  if (id.length > MAX_ID_LENGTH) {
    return 'too-long';
  }
  if (!/^[a-z0-9-]+$/.test(id)) {
    return 'characters';
  }
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) ? null : 'hyphens';
}

/** Turns any text into a valid id; returns an empty string if no character can be used. */
export function idFrom(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_ID_LENGTH)
    .replace(/^-+|-+$/g, '');
}

/** How many names `randomName` can make. */
export const NAME_COUNT = ADJECTIVES.length * (ADJECTIVES.length - 1) * NOUNS.length;

/**
 * A name of three words, for example `quiet-amber-otter`.
 *
 * @param random - as Math.random
 */
export function randomName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)];
  const first = pick(ADJECTIVES);
  const second = pick(ADJECTIVES.filter(word => word !== first));
  return `${first}-${second}-${pick(NOUNS)}`;
}
