/** What happens when the page goes: drafts are kept, and where the browser has no room for them it asks. */

import type { Texts } from './texts';

/** @returns ends that */
export function followLeaving(texts: Texts): () => void {
  const onHide = (): void => texts.keepDrafts(true);
  const onUnload = (event: BeforeUnloadEvent): void => {
    texts.keepDrafts(false);
    if (texts.isAtRisk) {
      event.preventDefault();
    }
  };
  window.addEventListener('pagehide', onHide);
  window.addEventListener('beforeunload', onUnload);
  return () => {
    window.removeEventListener('pagehide', onHide);
    window.removeEventListener('beforeunload', onUnload);
  };
}
