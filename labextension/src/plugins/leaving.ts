/** When the page closes, drafts are kept. If the browser has no room for them, it asks the person first. */

import type { Texts } from './texts';

/** @returns a function that stops this */
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
