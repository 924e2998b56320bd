/** What editors and terminals need: loaded with the first one. */

export const loadMonaco = (): Promise<typeof import('../monaco/load')> => import('../monaco/load');
export const loadXterm = (): Promise<typeof import('../xterm/load')> => import('../xterm/load');

/** Loads once, whoever asks; after a failure the next one who asks tries again. */
export function onceOrAgain<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | null = null;
  return () =>
    (loading ??= load().catch(reason => {
      loading = null;
      throw reason;
    }));
}
