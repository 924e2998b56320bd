/** Files for the editors: by message where they fit, by `file/` where they don't. */

import type { IContent, IFileStore } from '../model/file';
import { IEntry, ReplError } from '../model/messages';
import { Channel, MAX_MESSAGE } from './channel';
import type { Rest } from './rest';

/** Bytes above which a file is not opened in an editor. */
export const MAX_EDITED = 5_000_000;
/** Characters that fit into a message whatever they are: three bytes each at most, and room for escapes. */
const MAX_TEXT = MAX_MESSAGE / 4;

export class Files implements IFileStore {
  /** @param channel - the open channel, or null while there is none */
  constructor(
    private readonly _rest: Rest,
    private readonly _replId: string,
    private readonly _channel: () => Channel | null
  ) {}

  /** List a folder, however large it is. */
  async list(path: string): Promise<IEntry[]> {
    const entries: IEntry[] = [];
    for (;;) {
      const data = { path, offset: entries.length };
      const reply = await this._open.request<{ content: IEntry[]; total: number }>('fetchDir', data);
      entries.push(...reply.content);
      if (entries.length >= reply.total || !reply.content.length) {
        return entries;
      }
    }
  }

  async read(path: string): Promise<IContent> {
    const { bytes, etag } = await this._rest.readFile(this._replId, path, MAX_EDITED);
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      if (!text.includes('\0')) {
        return { text, etag };
      }
    } catch {
      // not UTF-8: said below
    }
    throw new ReplError('InvalidRequest', `${path} is not a text file.`, 'Download it to see its bytes.');
  }

  async write(path: string, text: string, etag: string | null): Promise<string> {
    if (text.length < MAX_TEXT) {
      const data = { path, content: text, etag };
      return (await this._open.request<{ etag: string }>('updateContent', data)).etag;
    }
    return this._rest.writeFile(this._replId, path, text, etag);
  }

  writeLast(path: string, text: string, etag: string): void {
    this._rest.writeFileLast(this._replId, path, text, etag);
  }

  private get _open(): Channel {
    const channel = this._channel();
    if (!channel) {
      throw new ReplError('Unavailable', 'The REPL is not connected.', 'Your text is kept in this tab.');
    }
    return channel;
  }
}
