/** What a FileModel is given: where files come from and go to, and what is edited. */

import { ReplError } from './messages';

export interface IContent {
  text: string;
  etag: string;
}

/** Where files come from and go to; each call rejects with a ReplError. */
export interface IFileStore {
  read(path: string): Promise<IContent>;
  /**
   * @param etag - what is to be replaced, null whatever it is; resolves to the new etag
   * @param onProgress - called with the share of a large text that was sent
   */
  write(
    path: string,
    text: string,
    etag: string | null,
    onProgress: (share: number) => void
  ): Promise<string>;
  /** Keep a text beside the file whose place it can't take; resolves to the path of the copy. */
  writeCopy(path: string, text: string): Promise<string>;
  /** Delete a copy that is needed no more. */
  delete(path: string): Promise<unknown>;
  /** Send now, with the page about to go; nobody waits for it. */
  writeLast(path: string, text: string, etag: string): void;
}

/** What is edited: a Monaco model, or a string in a test. */
export interface ITextBuffer {
  getText(): string;
  /** Changes with the text, and comes back when undo does: a comparison of texts costs too much for every key. */
  readonly version: number;
  /** Of the text, in UTF-16 units. */
  readonly length: number;
  /** Replace the text, keeping undo and, where that makes sense, the cursor. */
  setText(text: string): void;
}

/** A file's content; null if there is no such file. */
export async function readIfThere(store: IFileStore, path: string): Promise<IContent | null> {
  try {
    return await store.read(path);
  } catch (reason) {
    if (ReplError.from(reason).code === 'FileNotFound') {
      return null;
    }
    throw reason;
  }
}

/**
 * Write a file. One that was deleted meanwhile is made again: there is nothing that this could overwrite. One that holds
 * the text already is saved: an earlier request has arrived, and its answer has not.
 */
export async function writeOrMake(
  store: IFileStore,
  path: string,
  text: string,
  etag: string | null,
  onProgress: (share: number) => void
): Promise<string> {
  try {
    return await store.write(path, text, etag, onProgress);
  } catch (reason) {
    if (ReplError.from(reason).code !== 'Conflict') {
      throw reason;
    }
    const there = await readIfThere(store, path);
    if (there === null) {
      return store.write(path, text, null, onProgress);
    }
    if (there.text === text) {
      return there.etag;
    }
    throw reason;
  }
}
