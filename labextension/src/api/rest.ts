/** The REST calls, under `{base_url}repl/`. A REPL is named by its key, see `model/replKey`. */

import { URLExt } from '@jupyterlab/coreutils';
import { ReplError } from '../model/messages';
import type { IPhase } from '../model/repl';
import { routeOf, splitKey } from '../model/replKey';
import { readEvents } from './events';
import { IProject, Server } from './server';

/** The most bytes of a keepalive request that Chromium still sends after the page has closed. */
const MAX_KEEPALIVE = 60_000;
/** Milliseconds before each further attempt to follow the phases, after a stream was cut. */
const CUT_WAITS = [0, 500, 1000, 2000];

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
  async remove(key: string): Promise<void> {
    await this.request('DELETE', this._project(key));
  }

  async project(key: string): Promise<IProject> {
    return this.json('GET', this._project(key));
  }

  async start(replId: string): Promise<IPhase> {
    return (await this.json<{ phase: IPhase }>('POST', ['start'], { replId })).phase;
  }

  /** @param discard - stop even if that loses unsaved files */
  async stop(key: string, discard = false): Promise<IPhase> {
    const { replId } = splitKey(key);
    return (await this.json<{ phase: IPhase }>('POST', routeOf(key, 'stop'), { replId, discard })).phase;
  }

  /**
   * Report each phase until a settled one (running, stopped or failed), and resolve to that one. A stream that is cut,
   * since the server that sent it stops and another goes on, is asked for again.
   */
  async follow(key: string, tell: (phase: IPhase) => void): Promise<IPhase> {
    for (let attempt = 0; ; attempt++) {
      const last = await this._followOnce(key, tell).catch((reason: ReplError) => {
        if (attempt >= CUT_WAITS.length || (reason.status !== 0 && reason.status < 500)) {
          throw reason;
        }
        return null;
      });
      if (last) {
        return last;
      }
      if (attempt >= CUT_WAITS.length) {
        throw this.gone();
      }
      await new Promise(done => setTimeout(done, CUT_WAITS[attempt]));
    }
  }

  /** Resolves to the settled phase, or to null if the stream ends before there is one. */
  private async _followOnce(key: string, tell: (phase: IPhase) => void): Promise<IPhase | null> {
    const response = await this.request('GET', this._project(key, 'events'));
    let last: IPhase | null = null;
    try {
      for await (const { event, data } of readEvents(response)) {
        if (event === 'end') {
          return last;
        }
        last = JSON.parse(data) as IPhase;
        tell(last);
      }
    } catch {
      return null;
    }
    return null;
  }

  /** Fetch a file's bytes and etag. Rejects with FileTooLarge if the file has more than `most` bytes. */
  async readFile(key: string, path: string, most: number): Promise<{ bytes: Uint8Array; etag: string }> {
    const response = await this.request('GET', this._file(key, path));
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
  writeFileLast(key: string, path: string, body: Uint8Array<ArrayBuffer>, etag: string): void {
    if (body.length <= MAX_KEEPALIVE) {
      const headers = { 'If-Match': `"${etag}"`, 'Content-Type': 'application/octet-stream' };
      const init = { body, headers, keepalive: true };
      this.request('PUT', this._file(key, path), init).catch(() => undefined);
    }
  }

  /** The address of a file. */
  fileUrl(key: string, path: string): string {
    return this.url(this._file(key, path));
  }

  /** The address of a zip: of the folder at `query.path`, or without a path of the whole project. */
  archiveUrl(key: string, query: Record<string, string> = {}): string {
    return this.url(this._project(key, 'archive')) + URLExt.objectToQueryString(query);
  }

  /** The deletions of the last days that can be restored, newest first. */
  async deleted(replId: string): Promise<IDeleted[]> {
    return this.json('GET', ['project', replId, 'trash']);
  }

  /** Restore a deletion. `kept` lists the paths that were not restored because something else is there now. */
  async restoreDeleted(replId: string, item: string): Promise<{ restored: string[]; kept: string[] }> {
    return this.json('POST', ['project', replId, 'trash'], { item });
  }

  private _project(key: string, ...parts: string[]): string[] {
    return routeOf(key, 'project', splitKey(key).replId, ...parts);
  }

  private _file(key: string, path: string): string[] {
    return this._project(key, 'file', ...path.split('/'));
  }
}
