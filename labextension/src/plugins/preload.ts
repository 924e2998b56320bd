/** Loads the code that only tabs and dialogs need, when the first one is about to open. */

import { ReplError } from '../model/messages';
import { loadMonaco, loadXterm } from './lazy';

export const loadWorkspaces = (): Promise<typeof import('./workspaces')> => inWords(import('./workspaces'));
export const loadDialogs = (): Promise<typeof import('./dialogs')> => inWords(import('./dialogs'));

/** Turns an import's error into a ReplError, because JupyterLab shows its message. */
const inWords = <T>(part: Promise<T>): Promise<T> =>
  part.catch((reason: unknown) => {
    throw ReplError.from(reason);
  });

/** In ms. Loading Monaco blocks the page for 250 ms, which must not happen while a fast typist presses Create. */
const MONACO_DELAY = 400;

/**
 * Load everything while the person reads a dialog, so that the tab opens at once. A load that fails now is tried again
 * when the tab opens.
 *
 * @returns a function that cancels the loads that have not begun
 */
export function preload(): () => void {
  Promise.all([loadWorkspaces(), loadXterm()]).catch(() => undefined);
  const timer = setTimeout(() => void loadMonaco().catch(() => undefined), MONACO_DELAY);
  return () => clearTimeout(timer);
}
