/** The projects as a drive of JupyterLab's, for its file browser, its notebooks and its renderers. */

import { Drive, ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';

export const DRIVE = 'JupyterRepl';

/** The path of a project's file for JupyterLab. */
export function drivePath(replId: string, path: string): string {
  return `${DRIVE}:${replId}/${path}`;
}

export class ReplDrive extends Drive {
  constructor(serverSettings: ServerConnection.ISettings) {
    super({ name: DRIVE, apiEndpoint: 'repl/contents', serverSettings });
  }

  /** JupyterLab's own would ask Jupyter's contents for it. */
  override getDownloadUrl(localPath: string): Promise<string> {
    const [replId, ...path] = localPath.split('/').map(encodeURIComponent);
    return Promise.resolve(URLExt.join(this.serverSettings.baseUrl, 'repl/project', replId, 'file', ...path));
  }
}
