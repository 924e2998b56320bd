/** Loads once for all callers; after a failure the next call tries again. */
export function onceOrAgain<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | null = null;
  return () =>
    (loading ??= load().catch(reason => {
      loading = null;
      throw reason;
    }));
}
