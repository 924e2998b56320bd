/** The projects as a drive of JupyterLab's, for its file browser, its notebooks and its renderers. */

import { Drive } from '@jupyterlab/services';
import type { Server } from './server';

export const DRIVE = 'JupyterRepl';

/** The path of a project's file for JupyterLab. */
export function drivePath(replId: string, path: string): string {
  return `${DRIVE}:${replId}/${path}`;
}

export function makeDrive(server: Server): Drive {
  const drive = new Drive({ name: DRIVE, apiEndpoint: 'repl/contents' });
  // JupyterLab's own would ask Jupyter's contents for it
  drive.getDownloadUrl = path =>
    Promise.resolve(server.url(['project', ...path.replace('/', '/file/').split('/')]));
  return drive;
}
