/** The REST calls, under `{base_url}repl/`. */

import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ReplError } from '../model/messages';
import type { IPhase } from '../model/repl';
import { readEvents } from './events';

export interface ITemplate {
  language: string;
  label: string;
  icon: string;
  available: boolean;
  hint: string;
}

export interface IProject {
  replId: string;
  language: string;
  title: string;
  /** A date and time of ISO 8601. */
  created: string;
  phase: IPhase;
}

/** Bytes of a keepalive request that Chromium still sends after the page is gone. */
const MAX_KEEPALIVE = 60_000;

export class Rest {
  constructor(readonly settings: ServerConnection.ISettings) {}

  async templates(): Promise<ITemplate[]> {
    return this._json('GET', ['template']);
  }

  async create(replId: string, language: string): Promise<IProject> {
    return this._json('POST', ['project'], { replId, language });
  }

  async projects(): Promise<IProject[]> {
    return this._json('GET', ['project']);
  }

  /** Give it another title. */
  async rename(replId: string, title: string): Promise<IProject> {
    return this._json('PATCH', ['project', replId], { title });
  }

  /** Stop it and delete its files. */
  async remove(replId: string): Promise<void> {
    await this._request('DELETE', ['project', replId]);
  }

  async project(replId: string): Promise<IProject> {
    return this._json('GET', ['project', replId]);
  }

  async start(replId: string): Promise<IPhase> {
    return (await this._json<{ phase: IPhase }>('POST', ['start'], { replId })).phase;
  }

  async stop(replId: string): Promise<IPhase> {
    return (await this._json<{ phase: IPhase }>('POST', ['stop'], { replId })).phase;
  }

  /** Tell each phase until one stays, and resolve to that. */
  async follow(replId: string, tell: (phase: IPhase) => void): Promise<IPhase> {
    const response = await this._request('GET', ['project', replId, 'events']);
    let last: IPhase | null = null;
    for await (const { event, data } of readEvents(response)) {
      if (event === 'phase') {
        last = JSON.parse(data) as IPhase;
        tell(last);
      }
    }
    if (!last) {
      throw new ReplError('Unavailable', 'The server stopped answering.');
    }
    return last;
  }

  /** A file's bytes and etag; one of more than `most` bytes is not fetched: FileTooLarge. */
  async readFile(replId: string, path: string, most: number): Promise<{ bytes: Uint8Array; etag: string }> {
    const response = await this._request('GET', this._file(replId, path));
    const message = `${path} is larger than ${(most / 1e6).toFixed(0)} MB.`;
    const tooLarge = new ReplError('FileTooLarge', message, 'Download it to see it.');
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

  /** Write a file with the page about to go, if it is small enough for that; nobody waits for it. */
  writeFileLast(replId: string, path: string, text: string, etag: string): void {
    const body = new TextEncoder().encode(text);
    if (body.length <= MAX_KEEPALIVE) {
      const headers = { 'If-Match': `"${etag}"`, 'Content-Type': 'application/octet-stream' };
      const init = { body, headers, keepalive: true };
      this._request('PUT', this._file(replId, path), init).catch(() => undefined);
    }
  }

  /** The address of a file. */
  fileUrl(replId: string, path: string): string {
    return this._url(this._file(replId, path));
  }

  /** The address of a folder's zip; of the whole project without a path. */
  archiveUrl(replId: string, query: Record<string, string> = {}): string {
    return this._url(['project', replId, 'archive']) + URLExt.objectToQueryString(query);
  }

  private _file(replId: string, path: string): string[] {
    return ['project', replId, 'file', ...path.split('/')];
  }

  private _url(parts: string[]): string {
    return URLExt.join(this.settings.baseUrl, 'repl', ...parts.map(encodeURIComponent));
  }

  private async _json<T>(method: string, parts: string[], body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await this._request(method, parts, init)).json();
  }

  /** Rejects with a ReplError; its status is 0 if nobody answered. */
  private async _request(method: string, parts: string[], init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      const url = this._url(parts);
      response = await ServerConnection.makeRequest(url, { method, ...init }, this.settings);
    } catch (reason) {
      throw new ReplError('Unavailable', 'The server does not answer.', 'Your text is kept in this tab.');
    }
    if (!response.ok) {
      const error = (await response.json().catch(() => ({}))) as object;
      throw errorOf(error, response.status, response.statusText);
    }
    return response;
  }
}

/** What the server answered, as an error for people. */
export function errorOf(answer: object, status: number, statusText: string): ReplError {
  const { code = 'Unavailable', message = statusText, hint = '' } = answer as Partial<ReplError>;
  return new ReplError(code, message, hint, status);
}

/** The address that opens a REPL. */
export function addressOf(replId: string): string {
  return `${URLExt.join(PageConfig.getBaseUrl(), 'lab')}?repl=${replId}`;
}
