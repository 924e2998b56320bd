/** The interfaces that a FileModel uses: one reads and writes files, one is the edited text. */

import { ReplError } from './messages';

export interface IContent {
  text: string;
  etag: string;
}

/** Reads and writes files. A call that fails rejects with a ReplError. */
export interface IFileStore {
  read(path: string): Promise<IContent>;
  /**
   * Write a file. Resolves to its new etag.
   *
   * @param etag - the version to replace; null replaces any version
   * @param onProgress - called with the share of a large text that was sent
   */
  write(
    path: string,
    text: string,
    etag: string | null,
    onProgress: (share: number) => void
  ): Promise<string>;
  /** Write a text that conflicts with the file into a copy beside it. Resolves to the path of the copy. */
  writeCopy(path: string, text: string): Promise<string>;
  /** Delete a copy that is no longer needed. */
  delete(path: string): Promise<unknown>;
  /** Send a text while the page is closing; nothing waits for the answer. */
  writeLast(path: string, text: string, etag: string): void;
}

/** What is edited: a Monaco model, or a string in a test. */
export interface ITextBuffer {
  getText(): string;
  /** Changes with the text; an undo restores the earlier value. Comparing texts at every key would cost too much. */
  readonly version: number;
  /** The length of the text, in UTF-16 units. */
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
 * Write a file. Resolves to its new etag. If the file was deleted meanwhile, it is created again: there is nothing that
 * this could overwrite. If the file has this text already, it is saved: only the answer to an earlier request was lost.
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
