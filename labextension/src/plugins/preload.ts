/** What a tab needs and nobody else: loaded when the first one is about to open. */

import { ReplError } from '../model/messages';
import { loadMonaco, loadXterm } from './lazy';

export const loadWorkspaces = (): Promise<typeof import('./workspaces')> => inWords(import('./workspaces'));
export const loadDialogs = (): Promise<typeof import('./dialogs')> => inWords(import('./dialogs'));

/** Rejects with a ReplError: JupyterLab shows its message. */
const inWords = <T>(part: Promise<T>): Promise<T> =>
  part.catch((reason: unknown) => {
    throw ReplError.from(reason);
  });

/** Monaco keeps the page busy for 250 ms as it loads: not while somebody who types fast presses Create. */
const MONACO_DELAY = 400;

/**
 * Load all of it while the person reads a dialog, so that the tab opens at once; what fails now is tried again then.
 *
 * @returns stops what has not begun
 */
export function preload(): () => void {
  Promise.all([loadWorkspaces(), loadXterm()]).catch(() => undefined);
  const timer = setTimeout(() => void loadMonaco().catch(() => undefined), MONACO_DELAY);
  return () => clearTimeout(timer);
}
