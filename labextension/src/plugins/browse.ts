/** The projects' files in JupyterLab's own file browser; loaded on demand. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DRIVE } from '../api/drive';
import { replIcon } from '../widgets/icons';

const ID = 'jupyter-repl-browser';

/**
 * Refresh the file browser, which the first call creates.
 *
 * @param show - also bring it to the front; false when it is only restored after a reload
 */
export async function browse(
  app: JupyterFrontEnd,
  browsers: WidgetTracker,
  trans: TranslationBundle,
  show: boolean
): Promise<void> {
  const factory = await app.resolveOptionalService(IFileBrowserFactory);
  if (!factory) {
    return;
  }
  let browser = factory.tracker.find(({ id }) => id === ID);
  if (!browser) {
    browser = factory.createFileBrowser(ID, { driveName: DRIVE });
    browser.title.icon = replIcon;
    browser.title.caption = trans.__('Files of REPLs');
    app.shell.add(browser, 'left', { rank: 102, type: 'File Browser' });
    await browsers.add(browser);
  }
  if (show) {
    app.shell.activateById(ID);
  }
  await browser.model.refresh();
}
