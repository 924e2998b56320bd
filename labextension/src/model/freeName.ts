/** Finds the first free name by creating the file: only the attempt to create it shows that a name is free. */

import { ReplError } from './messages';

/** The most attempts. If so many names are taken, something else is wrong. */
const MOST = 99;

/**
 * Try names until one is not taken.
 *
 * @param nameOf - the name of each attempt, counted from 1
 * @param make - creates the file; rejects with FileExists if the name is taken. Any other error is passed on
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
