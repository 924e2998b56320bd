/** The libraries of editors and terminals, loaded with the first one of each. */

export const loadMonaco = (): Promise<typeof import('../monaco/load')> => import('../monaco/load');
export const loadXterm = (): Promise<typeof import('../xterm/load')> => import('../xterm/load');
