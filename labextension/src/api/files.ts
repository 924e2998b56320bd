/**
 * The project's files. Small requests are messages of the channel; reading, uploads and large texts use the route
 * `file/`. Each call rejects with a ReplError.
 */

import { decode, encodeLatin1, Encoding } from '../model/encodings';
import type { IContent, IFileStore } from '../model/fileStore';
import { makeFree } from '../model/freeName';
import { ISettingsCheck, ReplError } from '../model/messages';
import { marked } from '../model/paths';
import { IPage, PAGE } from '../model/tree';
import { Channel, MAX_MESSAGE } from './channel';
import type { Rest } from './rest';
import { IUploadOptions, upload } from './upload';

/** Bytes above which a file is not opened in an editor. */
export const MAX_EDITED = 20_000_000;
/** Any text with fewer characters fits into a message: three bytes each at most, and room for escapes. */
const MAX_TEXT = MAX_MESSAGE / 4;

export class Files implements IFileStore {
  /** @param channel - the open channel, or null while there is none */
  constructor(
    private readonly _rest: Rest,
    private readonly _key: string,
    private readonly _channel: () => Channel | null
  ) {}

  /** One page of a folder, starting at entry `offset`. Long names may need several messages. */
  async list(path: string, offset: number): Promise<IPage> {
    const page: IPage = { content: [], total: 0 };
    do {
      const data = { path, offset: offset + page.content.length, limit: PAGE - page.content.length };
      const { content, total } = await this._ask<IPage>('fetchDir', data);
      page.content.push(...content);
      page.total = total;
      if (!content.length) {
        break; // the folder has become shorter meanwhile
      }
    } while (page.content.length < PAGE && offset + page.content.length < page.total);
    return page;
  }

  async create(path: string, type: 'file' | 'dir'): Promise<void> {
    await this._ask('create', { path, type });
  }

  async rename(path: string, name: string): Promise<void> {
    await this._ask('rename', { path, name });
  }

  async move(path: string, to: string): Promise<void> {
    await this._ask('move', { path, to });
  }

  async copy(path: string, to: string): Promise<void> {
    await this._ask('copy', { path, to });
  }

  /**
   * Delete a file or folder; resolves to the item that `restore` takes.
   *
   * @param forever - bypass the trash, which needs disk space; nothing can be restored then
   */
  async delete(path: string, forever = false): Promise<string> {
    return (await this._ask<{ item: string }>('delete', { path, forever })).item;
  }

  /** Restore a deleted item; resolves to its path. */
  async restore(item: string): Promise<string> {
    return (await this._ask<{ path: string }>('restore', { item })).path;
  }

  /** Check the text of a `.repl.toml`; resolves to its problems and to the settings that exist. */
  checkSettings(content: string): Promise<ISettingsCheck> {
    return this._ask('checkSettings', { content });
  }

  /** Upload a file from the person's machine. Without `overwrite`, rejects with FileExists if the path exists. */
  async upload(path: string, body: Blob, overwrite: boolean, options: IUploadOptions): Promise<void> {
    const headers: Record<string, string> = overwrite ? {} : { 'If-None-Match': '*' };
    await upload(this._rest, this.url(path), body, { ...options, headers });
  }

  async read(path: string): Promise<IContent> {
    this._channel()?.expectAnswer(); // a server that is silent must be noticed here too
    const { bytes, etag } = await this._rest.readFile(this._key, path, MAX_EDITED);
    const decoded = decode(bytes);
    if (decoded) {
      this._encodings.set(path, decoded.encoding);
      return { text: decoded.text, etag };
    }
    const { trans } = this._rest;
    const hint = trans.__('Download it to see its bytes.');
    throw new ReplError('InvalidRequest', trans.__('%1 is not a text file.', path), hint);
  }

  async write(
    path: string,
    text: string,
    etag: string | null,
    onProgress: (share: number) => void
  ): Promise<string> {
    const isUtf8 = this.encoding(path) === 'UTF-8';
    if (isUtf8 && text.length < MAX_TEXT) {
      return (await this._ask<{ etag: string }>('updateContent', { path, content: text, etag })).etag;
    }
    const body = isUtf8 ? text : this._encode(path, text);
    const headers: Record<string, string> = etag ? { 'If-Match': `"${etag}"` } : {};
    const options = { headers, onProgress };
    return (await upload<{ etag: string }>(this._rest, this.url(path), body, options)).etag;
  }

  /** Save a text that must not replace the file as a copy beside it; resolves to the path of the copy. */
  async writeCopy(path: string, text: string): Promise<string> {
    const copy = await makeFree(
      number => marked(path, number === 1 ? 'conflict' : `conflict ${number}`),
      name => this.create(name, 'file')
    );
    await this.write(copy, text, null, () => undefined);
    return copy;
  }

  writeLast(path: string, text: string, etag: string): void {
    const isUtf8 = this.encoding(path) === 'UTF-8';
    const bytes = isUtf8 ? new TextEncoder().encode(text) : encodeLatin1(text);
    if (bytes) {
      this._rest.writeFileLast(this._key, path, bytes, etag);
    }
  }

  /** The encoding that a file was read with, and is written with. */
  encoding(path: string): Encoding {
    return this._encodings.get(path) ?? 'UTF-8';
  }

  /** Throws a ReplError if the file's encoding can't hold the text. */
  private _encode(path: string, text: string): Uint8Array<ArrayBuffer> {
    const bytes = encodeLatin1(text);
    if (!bytes) {
      const { trans } = this._rest;
      const message = trans.__('%1 is in Latin-1, which can’t hold all of these characters.', path);
      const hint = trans.__('To convert it, run iconv -f latin1 -t utf-8 in a terminal.');
      throw new ReplError('InvalidRequest', message, hint);
    }
    return bytes;
  }

  /** The address of a file, for a download. */
  url(path: string): string {
    return this._rest.fileUrl(this._key, path);
  }

  private async _ask<T>(event: string, data: object): Promise<T> {
    const channel = this._channel();
    if (!channel) {
      const { trans } = this._rest;
      const hint = trans.__('Your text is kept in this tab.');
      throw new ReplError('Unavailable', trans.__('The REPL is not connected.'), hint);
    }
    return channel.request<T>(event, data);
  }

  private readonly _encodings = new Map<string, Encoding>();
}
