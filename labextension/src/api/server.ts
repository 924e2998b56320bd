/** Requests to `{base_url}repl/`, and the two that are asked before anybody opens a REPL. */

import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReplError } from '../model/messages';
import type { IPhase } from '../model/repl';

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

export class Server {
  /** @param trans - for what is said when nobody answers; the server's own words are English */
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

  /** Rejects with a ReplError; its status is 0 if nobody answered. */
  protected async request(method: string, parts: string[], init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(this.url(parts), { method, ...init }, this.settings);
    } catch (reason) {
      throw this.gone();
    }
    if (!response.ok) {
      const error = (await response.json().catch(() => ({}))) as object;
      throw errorOf(error, response.status, response.statusText);
    }
    return response;
  }

  /** Nobody answers. */
  gone(): ReplError {
    const { trans } = this;
    return new ReplError(
      'Unavailable',
      trans.__('The server does not answer.'),
      trans.__('Your text is kept in this tab.')
    );
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
