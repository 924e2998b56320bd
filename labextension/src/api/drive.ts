/** The projects' files as a drive of JupyterLab's, so that its own renderers of images, PDF and CSV can open them. */

import { PathExt } from '@jupyterlab/coreutils';
import type { Contents, ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';
import { ReplError } from '../model/messages';
import type { Rest } from './rest';

export const DRIVE = 'JupyterRepl';
/** Bytes of a file above which it is not shown: base64 and a renderer take several times as much. */
const MAX_SHOWN = 50_000_000;

/** The path of a project's file for JupyterLab. */
export function drivePath(replId: string, path: string): string {
  return `${DRIVE}:${replId}/${path}`;
}

/** Reads, and nothing else: files are changed in the tree and in the editors. */
export class ReplDrive implements Contents.IDrive {
  constructor(private readonly _rest: Rest) {}

  readonly name = DRIVE;

  get serverSettings(): ServerConnection.ISettings {
    return this._rest.settings;
  }

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  async get(localPath: string, options?: Contents.IFetchOptions): Promise<Contents.IModel> {
    const [replId, path] = split(localPath);
    const { bytes, etag } = await this._rest.readFile(replId, path, MAX_SHOWN);
    const format = options?.format === 'base64' ? 'base64' : 'text';
    const time = new Date(0).toISOString(); // only the etag tells versions apart, and it is no time
    return {
      name: PathExt.basename(path),
      path: localPath,
      type: options?.type ?? 'file',
      writable: false,
      created: time,
      last_modified: time,
      hash: etag,
      mimetype: '',
      format,
      size: bytes.length,
      content: format === 'base64' ? toBase64(bytes) : new TextDecoder().decode(bytes)
    };
  }

  getDownloadUrl(localPath: string): Promise<string> {
    return Promise.resolve(this._rest.fileUrl(...split(localPath)));
  }

  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }

  newUntitled(): Promise<Contents.IModel> {
    return this._refuse();
  }

  delete(): Promise<void> {
    return this._refuse();
  }

  rename(): Promise<Contents.IModel> {
    return this._refuse();
  }

  save(): Promise<Contents.IModel> {
    return this._refuse();
  }

  copy(): Promise<Contents.IModel> {
    return this._refuse();
  }

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return this._refuse();
  }

  restoreCheckpoint(): Promise<void> {
    return this._refuse();
  }

  deleteCheckpoint(): Promise<void> {
    return this._refuse();
  }

  private _refuse(): Promise<never> {
    const { trans } = this._rest;
    return Promise.reject(new ReplError('NoPermissions', trans.__('Files are changed in the REPL itself.')));
  }

  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  private _isDisposed = false;
}

function split(localPath: string): [string, string] {
  const at = localPath.indexOf('/');
  return [localPath.slice(0, at), localPath.slice(at + 1)];
}

function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(''));
}
