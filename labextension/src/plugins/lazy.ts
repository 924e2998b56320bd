/** What a tab needs and nobody else: loaded when the first one is about to open. */

export const loadMonaco = (): Promise<typeof import('../monaco/load')> => import('../monaco/load');
export const loadXterm = (): Promise<typeof import('../xterm/load')> => import('../xterm/load');
export const loadWorkspace = (): Promise<typeof import('./workspace')> => import('./workspace');

/** Load all of it, so that the next tab opens at once; what fails now is tried again then. */
export function preload(): void {
  Promise.all([loadWorkspace(), loadMonaco(), loadXterm()]).catch(() => undefined);
}
