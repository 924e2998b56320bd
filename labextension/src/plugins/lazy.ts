/** What editors and terminals need: loaded with the first one. */

export const loadMonaco = (): Promise<typeof import('../monaco/load')> => import('../monaco/load');
export const loadXterm = (): Promise<typeof import('../xterm/load')> => import('../xterm/load');
