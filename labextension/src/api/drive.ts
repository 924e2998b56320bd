/** The projects as a drive for JupyterLab's file browser, notebooks and renderers. */

import { Drive } from '@jupyterlab/services';
import type { Server } from './server';

export const DRIVE = 'JupyterRepl';

/** The path of a project's file for JupyterLab. */
export function drivePath(replId: string, path: string): string {
  return `${DRIVE}:${replId}/${path}`;
}

export function makeDrive(server: Server): Drive {
  const drive = new Drive({ name: DRIVE, apiEndpoint: 'repl/contents' });
  // the inherited method returns an address below Jupyter's own `files/`
  drive.getDownloadUrl = path =>
    Promise.resolve(server.url(['project', ...path.replace('/', '/file/').split('/')]));
  return drive;
}
