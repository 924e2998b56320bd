/** What is shown in place of an editor whose file could not be opened. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReplError } from '../model/messages';

/**
 * The reason, with a link to download a file that an editor can't show, or else with a button.
 *
 * @param again - called by the button: opens the file once more
 */
export function makeRefused(
  error: ReplError,
  name: string,
  downloadUrl: string,
  trans: TranslationBundle,
  again: () => void
): HTMLElement {
  const box = document.createElement('div');
  box.className = 'jp-Repl-refused';
  const text = document.createElement('p');
  text.textContent = error.text;
  box.append(text);
  if (error.code === 'FileTooLarge' || error.code === 'InvalidRequest') {
    const link = document.createElement('a');
    link.href = downloadUrl;
    link.download = name;
    link.textContent = trans.__('Download %1', name);
    box.append(link);
  } else {
    const button = document.createElement('button');
    button.className = 'jp-Button jp-mod-styled';
    button.textContent = trans.__('Try again');
    button.onclick = again;
    box.append(button);
  }
  return box;
}
