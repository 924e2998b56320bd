/** The channel's text messages, as `docs/protocol.md` describes them. */

import type { ISynced } from './synced';

export type ErrorCode =
  | 'FileNotFound'
  | 'FileExists'
  | 'FileIsADirectory'
  | 'FileNotADirectory'
  | 'NoPermissions'
  | 'FileTooLarge'
  | 'Conflict'
  | 'Unavailable'
  | 'DiskFull'
  | 'InvalidRequest'
  /** Of this client alone: a proxy has answered, which did not reach the server. */
  | 'NotRouted';

/** An error for people: what happened, and what to do. */
export class ReplError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint = '',
    readonly status = 0
  ) {
    super(message);
  }

  /** Message and hint in one text. */
  get text(): string {
    return [this.message, this.hint].filter(Boolean).join(' ');
  }

  /** Converts any thrown value to a ReplError. */
  static from(error: unknown): ReplError {
    if (error instanceof ReplError) {
      return error;
    }
    if (error instanceof Error && error.name === 'ChunkLoadError') {
      // webpack could not load a chunk: the server is away, or it now has the chunks of another version
      return new ReplError(
        'Unavailable',
        'A part of the page could not be loaded. Try again; if JupyterLab was updated, reload the page.'
      );
    }
    return new ReplError('Unavailable', error instanceof Error ? error.message : String(error));
  }
}

export interface IEntry {
  type: 'file' | 'dir';
  name: string;
  path: string;
}

/** What is wrong with a `.repl.toml`, and which settings there are. Lines and columns count from 1. */
export interface ISettingsCheck {
  problems: { line: number; column: number; message: string }[];
  keys: { name: string; help: string }[];
}

export interface IRun {
  run: number;
  terminal: number;
  command: string;
  /** The file that was run; null: the project's command. */
  path: string | null;
  /** Seconds since the epoch. */
  started: number;
  /** Absent while it runs; null if a signal ended it. */
  code?: number | null;
  signal?: string | null;
  /** Seconds. */
  duration?: number;
  hint?: string;
}

export interface ILoaded {
  /** The version of the protocol, raised by each addition; absent: 1. */
  protocol?: number;
  /** Identifies the runner; changes with every start. Terminals of an earlier runner no longer exist. */
  runner: string;
  replId: string;
  language: string;
  /** The path of the project's folder, as its programs see it. */
  folder: string;
  main: string;
  rootContent: IEntry[];
  rootTotal: number;
  terminals: { terminal: number }[];
  runs: IRun[];
  /** Null where the files are on the server's own disk. */
  synced: ISynced | null;
  /** Null where the disk has no limit of its own. */
  disk: IDisk | null;
  /** This client may look and change nothing. Absent from runners before protocol 3. */
  readOnly?: boolean;
  /** The names of all who may only look. */
  visitors?: string[];
}

/** The `idle` event of docs/protocol.md. */
export interface IIdle {
  /** Seconds until the REPL is stopped; 0 if it will not be stopped after all. */
  seconds: number;
  asleep: boolean;
}

/** The `disk` event of docs/protocol.md; sizes in bytes. */
export interface IDisk {
  state: 'roomy' | 'low' | 'full';
  used: number;
  limit: number;
}

export interface IChanged {
  all?: boolean;
  dirs?: string[];
  files?: { path: string; etag: string | null }[];
}

export interface ITerminalReply {
  terminal: number;
  /** The offset at which the following output begins. */
  offset: number;
  /** The offset of the oldest output that the runner retains. */
  start: number;
  /** How many bytes of this viewer's input the runner has received. */
  input: number;
}

export interface IMessage {
  event: string;
  data?: Record<string, unknown>;
  id?: number | null;
  error?: { code: ErrorCode; message: string; hint: string };
}

/** Parse a text frame; null if it is no message. */
export function parseMessage(text: string): IMessage | null {
  try {
    const message = JSON.parse(text);
    return typeof message?.event === 'string' ? message : null;
  } catch {
    return null;
  }
}
