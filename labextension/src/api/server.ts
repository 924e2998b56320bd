/** Sends requests to `{base_url}repl/`. Has the two calls that are needed before a REPL is opened. */

import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReplError } from '../model/messages';
import type { IPhase } from '../model/repl';
import { splitKey } from '../model/replKey';

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
  /** An ISO 8601 date and time. */
  created: string;
  phase: IPhase;
  /** The name of the owner, if that is another user whom an administrator visits. */
  ownerName?: string;
}

/** In each answer of the extension: an error without it is a proxy's on the way. */
const VERSION_HEADER = 'X-Jupyter-Repl-Version';

export class Server {
  /** @param trans - translates the error for a server that does not answer; the server's own messages are English */
  constructor(
    readonly settings: ServerConnection.ISettings,
    readonly trans: TranslationBundle
  ) {}

  templates(): Promise<ITemplate[]> {
    return this.json('GET', ['template']);
  }

  projects(): Promise<IProject[]> {
    return this.json('GET', ['project']);
  }

  url(parts: string[]): string {
    return URLExt.join(this.settings.baseUrl, 'repl', ...parts.map(encodeURIComponent));
  }

  protected async json<T>(method: string, parts: string[], body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await this.request(method, parts, init)).json();
  }

  /** Rejects with a ReplError; its status is 0 if the server did not answer. */
  protected async request(method: string, parts: string[], init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(this.url(parts), { method, ...init }, this.settings);
    } catch (reason) {
      throw this.gone();
    }
    if (!response.ok && !response.headers.has(VERSION_HEADER)) {
      throw this._notRouted(response.status);
    }
    if (!response.ok) {
      const error = (await response.json().catch(() => ({}))) as object;
      throw errorOf(error, response.status, response.statusText);
    }
    return response;
  }

  /** The error for a proxy that does not reach the server, such as that of a hub which restarts. */
  private _notRouted(status: number): ReplError {
    const { trans } = this;
    const hint = trans.__('It may be starting. If your server was stopped, start it again in the hub.');
    return new ReplError('NotRouted', trans.__('The server can’t be reached (%1).', status), hint, status);
  }

  /** The error for a server that does not answer. */
  gone(): ReplError {
    const { trans } = this;
    return new ReplError(
      'Unavailable',
      trans.__('The server does not answer.'),
      trans.__('Your text is kept in this tab.')
    );
  }
}

/** Converts the server's error answer to a ReplError. */
export function errorOf(answer: object, status: number, statusText: string): ReplError {
  const { code = 'Unavailable', message = statusText, hint = '' } = answer as Partial<ReplError>;
  return new ReplError(code, message, hint, status);
}

/** The address that opens a REPL. */
export function addressOf(key: string): string {
  const { owner, replId } = splitKey(key);
  return `${URLExt.join(PageConfig.getBaseUrl(), 'lab')}?repl=${replId}${owner && `&owner=${owner}`}`;
}
