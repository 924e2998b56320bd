/** The project's files: by message where they fit, by `file/` where they don't. Each call rejects with a ReplError. */

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
/** Characters that fit into a message whatever they are: three bytes each at most, and room for escapes. */
const MAX_TEXT = MAX_MESSAGE / 4;

export class Files implements IFileStore {
  /** @param channel - the open channel, or null while there is none */
  constructor(
    private readonly _rest: Rest,
    private readonly _replId: string,
    private readonly _channel: () => Channel | null
  ) {}

  /** A page of a folder, from an entry on; it takes several messages where names are long. */
  async list(path: string, offset: number): Promise<IPage> {
    const page: IPage = { content: [], total: 0 };
    do {
      const data = { path, offset: offset + page.content.length, limit: PAGE - page.content.length };
      const { content, total } = await this._ask<IPage>('fetchDir', data);
      page.content.push(...content);
      page.total = total;
      if (!content.length) {
        break; // it has become shorter meanwhile
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
   * Delete; resolves to what `restore` takes.
   *
   * @param forever - not by way of the trash, which needs room on the disk: there is nothing to be restored
   */
  async delete(path: string, forever = false): Promise<string> {
    return (await this._ask<{ item: string }>('delete', { path, forever })).item;
  }

  /** Put back what was deleted; resolves to its path. */
  async restore(item: string): Promise<string> {
    return (await this._ask<{ path: string }>('restore', { item })).path;
  }

  /** What is wrong with the text of a `.repl.toml`, and which settings there are. */
  checkSettings(content: string): Promise<ISettingsCheck> {
    return this._ask('checkSettings', { content });
  }

  /** Send a file of the person's own machine; FileExists unless `overwrite`. */
  async upload(path: string, body: Blob, overwrite: boolean, options: IUploadOptions): Promise<void> {
    const headers: Record<string, string> = overwrite ? {} : { 'If-None-Match': '*' };
    await upload(this._rest, this.url(path), body, { ...options, headers });
  }

  async read(path: string): Promise<IContent> {
    const { bytes, etag } = await this._rest.readFile(this._replId, path, MAX_EDITED);
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

  /** Keep a text beside the file whose place it can't take; resolves to the path of the copy. */
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
      this._rest.writeFileLast(this._replId, path, bytes, etag);
    }
  }

  /** What a file was read as, and is written as. */
  encoding(path: string): Encoding {
    return this._encodings.get(path) ?? 'UTF-8';
  }

  /** Rejects what the file's encoding can't hold. */
  private _encode(path: string, text: string): Uint8Array<ArrayBuffer> {
    const bytes = encodeLatin1(text);
    if (!bytes) {
      const { trans } = this._rest;
      const message = trans.__('%1 is in Latin-1, which can’t hold all of these characters.', path);
      const hint = trans.__('In the terminal, iconv -f latin1 -t utf-8 converts it.');
      throw new ReplError('InvalidRequest', message, hint);
    }
    return bytes;
  }

  /** The address of a file, for a download. */
  url(path: string): string {
    return this._rest.fileUrl(this._replId, path);
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
