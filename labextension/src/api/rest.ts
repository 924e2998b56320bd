/** The REST calls, under `{base_url}repl/`. */

import { URLExt } from '@jupyterlab/coreutils';
import { ReplError } from '../model/messages';
import type { IPhase } from '../model/repl';
import { readEvents } from './events';
import { IProject, Server } from './server';

/** The most bytes of a keepalive request that Chromium still sends after the page has closed. */
const MAX_KEEPALIVE = 60_000;

/** One deletion of `count` paths; `paths` lists some of them. `when` is in seconds since the epoch. */
export interface IDeleted {
  item: string;
  when: number;
  count: number;
  paths: string[];
}

export class Rest extends Server {
  async create(replId: string, language: string): Promise<IProject> {
    return this.json('POST', ['project'], { replId, language });
  }

  /** Change the project's title. */
  async rename(replId: string, title: string): Promise<IProject> {
    return this.json('PATCH', ['project', replId], { title });
  }

  /** Stop the REPL and delete the project with its files. */
  async remove(replId: string): Promise<void> {
    await this.request('DELETE', ['project', replId]);
  }

  async project(replId: string): Promise<IProject> {
    return this.json('GET', ['project', replId]);
  }

  async start(replId: string): Promise<IPhase> {
    return (await this.json<{ phase: IPhase }>('POST', ['start'], { replId })).phase;
  }

  /** @param discard - stop even if that loses unsaved files */
  async stop(replId: string, discard = false): Promise<IPhase> {
    return (await this.json<{ phase: IPhase }>('POST', ['stop'], { replId, discard })).phase;
  }

  /** Report each phase until a settled one (running, stopped or failed), and resolve to that one. */
  async follow(replId: string, tell: (phase: IPhase) => void): Promise<IPhase> {
    const response = await this.request('GET', ['project', replId, 'events']);
    let last: IPhase | null = null;
    for await (const { event, data } of readEvents(response)) {
      if (event === 'phase') {
        last = JSON.parse(data) as IPhase;
        tell(last);
      }
    }
    if (!last) {
      throw this.gone();
    }
    return last;
  }

  /** Fetch a file's bytes and etag. Rejects with FileTooLarge if the file has more than `most` bytes. */
  async readFile(replId: string, path: string, most: number): Promise<{ bytes: Uint8Array; etag: string }> {
    const response = await this.request('GET', this._file(replId, path));
    const { trans } = this;
    const message = trans.__('%1 is larger than %2 MB.', path, (most / 1e6).toFixed(0));
    const tooLarge = new ReplError('FileTooLarge', message, trans.__('Download it to see it.'));
    if (Number(response.headers.get('Content-Length')) > most) {
      await response.body?.cancel();
      throw tooLarge;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > most) {
      throw tooLarge; // a proxy that compresses leaves the length out
    }
    const etag = (response.headers.get('ETag') ?? '').replace(/"/g, '');
    return { bytes, etag };
  }

  /** Write a file while the page closes, if it is small enough for a keepalive request. Does not wait for an answer. */
  writeFileLast(replId: string, path: string, body: Uint8Array<ArrayBuffer>, etag: string): void {
    if (body.length <= MAX_KEEPALIVE) {
      const headers = { 'If-Match': `"${etag}"`, 'Content-Type': 'application/octet-stream' };
      const init = { body, headers, keepalive: true };
      this.request('PUT', this._file(replId, path), init).catch(() => undefined);
    }
  }

  /** The address of a file. */
  fileUrl(replId: string, path: string): string {
    return this.url(this._file(replId, path));
  }

  /** The address of a zip: of the folder at `query.path`, or without a path of the whole project. */
  archiveUrl(replId: string, query: Record<string, string> = {}): string {
    return this.url(['project', replId, 'archive']) + URLExt.objectToQueryString(query);
  }

  /** The deletions of the last days that can be restored, newest first. */
  async deleted(replId: string): Promise<IDeleted[]> {
    return this.json('GET', ['project', replId, 'trash']);
  }

  /** Restore a deletion. `kept` lists the paths that were not restored because something else is there now. */
  async restoreDeleted(replId: string, item: string): Promise<{ restored: string[]; kept: string[] }> {
    return this.json('POST', ['project', replId, 'trash'], { item });
  }

  private _file(replId: string, path: string): string[] {
    return ['project', replId, 'file', ...path.split('/')];
  }
}
