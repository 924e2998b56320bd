/** Uploads with progress and cancellation. `fetch` reports no progress of an upload, so this uses XMLHttpRequest. */

import type { ServerConnection } from '@jupyterlab/services';
import { ReplError } from '../model/messages';
import { errorOf, type Server } from './server';

export interface IUploadOptions {
  headers?: Record<string, string>;
  /** Cancels the upload; the server writes nothing then. */
  signal?: AbortSignal;
  /** Called with the share that has been sent, from 0 to 1. */
  onProgress?(share: number): void;
}

/** `PUT` a body; resolves to the answer's JSON, rejects with a ReplError. */
export function upload<T>(
  server: Server,
  url: string,
  body: Blob | Uint8Array<ArrayBuffer> | string,
  { headers = {}, signal, onProgress }: IUploadOptions = {}
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    const cancelled = (): void =>
      reject(new ReplError('Unavailable', server.trans.__('The upload was cancelled.')));
    request.open('PUT', url);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    authorize(request, server.settings);
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
    request.onabort = cancelled;
    request.onerror = () => reject(server.gone());
    request.onload = () => {
      if (request.status < 400) {
        resolve(JSON.parse(request.responseText || '{}'));
      } else {
        reject(errorOf(parse(request.responseText), request.status, request.statusText));
      }
    };
    request.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) {
      abort();
      cancelled();
    } else {
      request.send(body);
    }
  });
}

/** Sets the headers that ServerConnection sets for its own requests. */
function authorize(request: XMLHttpRequest, settings: ServerConnection.ISettings): void {
  if (settings.token) {
    request.setRequestHeader('Authorization', `token ${settings.token}`);
  }
  const xsrf = /\b_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  if (xsrf) {
    request.setRequestHeader('X-XSRFToken', xsrf);
  }
}

function parse(text: string): object {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
