/** The first of several names that nobody has, found by trying: only the one who makes a file can know that it is free. */

import { ReplError } from './messages';

/** More of one name, and something else is wrong. */
const MOST = 99;

/**
 * Try names until one is not taken.
 *
 * @param nameOf - the name of each attempt, counted from 1
 * @param make - rejects with FileExists where the name is taken; what else it rejects with ends this
 * @returns the name that was free
 */
export async function makeFree(
  nameOf: (attempt: number) => string,
  make: (name: string) => Promise<unknown>
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const name = nameOf(attempt);
    try {
      await make(name);
      return name;
    } catch (reason) {
      if (ReplError.from(reason).code !== 'FileExists' || attempt === MOST) {
        throw reason;
      }
    }
  }
}
