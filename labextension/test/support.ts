/** What the models are given in a browser, in memory. */

import { Drafts, type IStorage } from '../src/model/drafts';
import { FileModel } from '../src/model/file';
import type { IContent, IFileStore, ITextBuffer } from '../src/model/fileStore';
import { ReplError } from '../src/model/messages';
import { marked } from '../src/model/paths';

export class MemoryStorage implements IStorage {
  isFull = false;
  /** The number of items that there is room for. */
  capacity = Infinity;

  get length(): number {
    return this._items.size;
  }

  key(index: number): string | null {
    return [...this._items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this._items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull || (this._items.size >= this.capacity && !this._items.has(key))) {
      throw new Error('QuotaExceededError');
    }
    this._items.set(key, value);
  }

  removeItem(key: string): void {
    this._items.delete(key);
  }

  private readonly _items = new Map<string, string>();
}

/** Files whose etag is a count of their versions; calls can be held up and made to fail. */
export class MemoryFiles implements IFileStore {
  readonly last: string[] = [];
  isGone = false;
  /** Of so many writes, which are carried out. */
  loseAnswers = 0;
  gate: Promise<void> = Promise.resolve();
  writes = 0;

  set(path: string, text: string | null): void {
    const version = Number(this._files.get(path)?.etag ?? 0) + 1;
    this._files.set(path, { text: text ?? '', etag: String(version) });
    if (text === null) {
      this._files.delete(path);
    }
  }

  get(path: string): string | undefined {
    return this._files.get(path)?.text;
  }

  etag(path: string): string {
    return this._files.get(path)!.etag;
  }

  async read(path: string): Promise<IContent> {
    await this._answer();
    const file = this._files.get(path);
    if (!file) {
      throw new ReplError('FileNotFound', `There is no ${path}.`);
    }
    return { ...file };
  }

  async write(path: string, text: string, etag: string | null): Promise<string> {
    await this._answer();
    if (etag !== null && this._files.get(path)?.etag !== etag) {
      throw new ReplError('Conflict', `${path} has changed.`);
    }
    this.writes++;
    this.set(path, text);
    if (this.loseAnswers > 0) {
      this.loseAnswers--;
      throw new ReplError('Unavailable', 'The server does not answer.');
    }
    return this.etag(path);
  }

  async writeCopy(path: string, text: string): Promise<string> {
    const copy = marked(path, `conflict ${[...this._files.keys()].length}`);
    await this.write(copy, text, null);
    return copy;
  }

  async delete(path: string): Promise<void> {
    await this._answer();
    this._files.delete(path);
  }

  get paths(): string[] {
    return [...this._files.keys()].sort();
  }

  writeLast(_: string, text: string): void {
    this.last.push(text);
  }

  private async _answer(): Promise<void> {
    await this.gate;
    if (this.isGone) {
      throw new ReplError('Unavailable', 'The server does not answer.');
    }
  }

  private readonly _files = new Map<string, IContent>();
}

export class TextBuffer implements ITextBuffer {
  constructor(private _text: string) {}

  version = 1;

  get length(): number {
    return this._text.length;
  }

  getText(): string {
    return this._text;
  }

  setText(text: string): void {
    this._text = text;
    this.version++;
  }
}

/** Timers that fire when the test says so. */
export class Clock {
  readonly later = (call: () => void): (() => void) => {
    this._calls.add(call);
    return () => this._calls.delete(call);
  };

  get waiting(): number {
    return this._calls.size;
  }

  fire(): void {
    const calls = [...this._calls];
    this._calls.clear();
    calls.forEach(call => call());
  }

  private readonly _calls = new Set<() => void>();
}

/** Let everything that is ready come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}

/** A file that is edited, with the storage of its drafts. */
export class Desk {
  readonly files = new MemoryFiles();
  readonly storage = new MemoryStorage();
  readonly drafts = new Drafts(this.storage, 'repl');
  readonly clock = new Clock();
  buffer = new TextBuffer('');

  async open(): Promise<FileModel> {
    const file = new FileModel('a.txt', this.files, this.drafts, this.clock.later);
    this.buffer = new TextBuffer(await file.load());
    file.bind(this.buffer);
    return file;
  }

  type(file: FileModel, text: string): void {
    this.buffer.setText(text);
    file.edited();
  }
}
