/** The state machine of a REPL's tab: starting, connected, lost, found again. Network and clock are injected. */

import { ISignal, Signal } from '@lumino/signaling';
import type { ILoaded } from './messages';
import { ReplError } from './messages';

export interface IPhase {
  name: 'stopped' | 'starting' | 'running' | 'stopping' | 'failed';
  step?: string;
  cause?: 'server-gone' | 'runner-gone' | 'start-failed' | 'unsaved';
  reason?: string;
  hint?: string;
}

/** What the tab shows. `lost`: the connection is gone, and the tab retries by itself. */
export type ReplState =
  | { kind: 'starting'; steps: string[] }
  | { kind: 'running' }
  | { kind: 'lost' }
  | { kind: 'stopping' }
  /** `asleep`: the REPL was stopped because nobody used it. */
  | { kind: 'stopped'; warning: string; asleep: boolean }
  | { kind: 'failed'; error: ReplError };

/** An open channel; `closed` resolves when it closes. */
export interface IConnection {
  readonly loaded: ILoaded;
  /** Resolves to the code of the WebSocket's close frame. */
  readonly closed: Promise<number>;
  /** Emits for how many seconds no answer came, once that is long; emits 0 when answers come again. */
  readonly slow: ISignal<IConnection, number>;
  close(): void;
}

/** Each call rejects with a ReplError; `Unavailable` with status 0 means that nobody answered. */
export interface IReplApi {
  start(): Promise<IPhase>;
  /** @param discard - stop even if unsaved files are lost */
  stop(discard: boolean): Promise<IPhase>;
  phase(): Promise<IPhase>;
  /** Report each phase until one is stable, and resolve to that one. */
  follow(tell: (phase: IPhase) => void): Promise<IPhase>;
  connect(): Promise<IConnection>;
}

/** The close code for a user who may no longer use the REPL: logged out, deleted, or without the right. */
const LOG_IN = 4401;

function loggedOut({ code, status }: ReplError): ReplError {
  const hint = 'Reload the page, and log in again. Text that is not saved is kept in this browser.';
  return new ReplError(code, 'You may no longer use this REPL.', hint, status);
}

/**
 * `restarted`: the tab started the REPL again, because its server went away. `replaced`: the spawner replaced the
 * runner. `kept`: a stop did not stop the REPL. The phase gives the reason.
 */
export type Notice = 'none' | 'restarted' | 'replaced' | 'kept';

/** Milliseconds for which a proxy may not know the way to the server: a hub's needs a minute after a restart. */
const ROUTE_WAIT = 90_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 2000;

export class ReplModel {
  /** @param sleep - resolves after so many ms */
  constructor(
    private readonly _api: IReplApi,
    private readonly _sleep: (ms: number) => Promise<void>
  ) {}

  get state(): ReplState {
    return this._state;
  }

  get stateChanged(): ISignal<this, ReplState> {
    return this._stateChanged;
  }

  /** The open channel; null while there is none. */
  get connection(): IConnection | null {
    return this._connection;
  }

  /** Emitted whenever a channel has opened. */
  get connected(): ISignal<this, IConnection> {
    return this._connected;
  }

  /** The notice that the tab shows once about how it got into this state. */
  get notice(): Notice {
    return this._notice;
  }

  /** Why the runner was replaced, or why the REPL was not stopped, if the spawner knows. */
  get reason(): string {
    return this._reason;
  }

  /** For how many seconds the server has not answered; 0 if it answers. */
  get silence(): number {
    return this._silence;
  }

  /** The steps of the last start, to find out why it failed. */
  get details(): string {
    return this._steps.join('\n');
  }

  /** Retry now, not at the end of the wait. */
  tryNow(): void {
    this._wake();
  }

  /** The server is stopping the REPL, because nobody uses it. */
  fallAsleep(): void {
    this._isAsleep = true;
  }

  dismissNotice(): void {
    this._notice = 'none';
    this._stateChanged.emit(this._state);
  }

  /** Start the REPL, unless it runs, and connect. Never rejects: an error becomes the state `failed`. */
  async start(notice: Notice = 'none'): Promise<void> {
    const attempt = ++this._attempt;
    this._isAsleep = false;
    this._setState({ kind: 'starting', steps: [] });
    try {
      this._tell(await this._api.start());
      await this._reach(attempt, await this._api.follow(phase => this._tell(phase)));
      if (this._state.kind === 'running') {
        this._notice = notice;
        this._stateChanged.emit(this._state);
      }
    } catch (reason) {
      this._fail(attempt, reason);
    }
  }

  /**
   * Stop the REPL; its files are kept. A start under way is cancelled.
   *
   * @param discard - stop even if unsaved files are lost; without it the REPL keeps running in that case
   */
  async stop(discard = false): Promise<void> {
    const attempt = ++this._attempt;
    this._setState({ kind: 'stopping' });
    try {
      await this._api.stop(discard);
      const phase = await this._api.follow(() => undefined);
      if (phase.name === 'running' && attempt === this._attempt) {
        this._notice = 'kept';
      }
      await this._reach(attempt, phase);
    } catch (reason) {
      this._fail(attempt, reason);
    }
  }

  dispose(): void {
    this._attempt++;
    this._disposed = true;
    this._connection?.close();
    this._connection = null;
    Signal.clearData(this);
  }

  /** Act on a stable phase. @param isFound - the tab found this phase; it did not start or stop the REPL */
  private async _reach(attempt: number, phase: IPhase, isFound = false): Promise<void> {
    if (attempt !== this._attempt) {
      return;
    }
    if (phase.name === 'running') {
      const connection = await this._api.connect();
      if (attempt !== this._attempt) {
        connection.close();
        return;
      }
      const isOther = this._runner !== '' && this._runner !== connection.loaded.runner;
      this._notice = isFound && isOther ? 'replaced' : this._notice;
      this._reason = [phase.reason, phase.hint].filter(Boolean).join(' ');
      this._runner = connection.loaded.runner;
      this._connection?.close();
      this._connection = connection;
      this._silence = 0;
      this._setState({ kind: 'running' });
      connection.slow.connect((_, seconds) => {
        if (this._connection === connection) {
          this._silence = seconds;
          this._stateChanged.emit(this._state);
        }
      });
      this._connected.emit(connection);
      void connection.closed.then(code => this._lost(connection, code));
    } else if (phase.name === 'failed') {
      const message = phase.reason ?? 'The REPL failed.';
      this._setState({ kind: 'failed', error: new ReplError('Unavailable', message, phase.hint) });
    } else {
      const warning = phase.cause === 'unsaved' ? [phase.reason, phase.hint].filter(Boolean).join(' ') : '';
      this._setState({ kind: 'stopped', warning, asleep: this._isAsleep });
    }
  }

  private async _lost(connection: IConnection, code: number): Promise<void> {
    if (this._connection !== connection) {
      return;
    }
    this._connection = null;
    if (this._disposed || this._state.kind === 'stopping' || this._state.kind === 'starting') {
      return;
    }
    const attempt = ++this._attempt;
    this._setState({ kind: 'lost' });
    let wait = FIRST_WAIT;
    let waited = 0;
    while (attempt === this._attempt) {
      try {
        await this._find(attempt);
        return;
      } catch (reason) {
        const error = ReplError.from(reason);
        const isNobody = error.status === 0 || error.status >= 500;
        if (error.code === 'NotRouted' ? waited > ROUTE_WAIT : !isNobody) {
          this._fail(attempt, code === LOG_IN ? loggedOut(error) : error);
          return;
        }
      }
      await Promise.race([this._sleep(wait), new Promise<void>(wake => (this._wake = wake))]);
      waited += wait;
      wait = Math.min(LONGEST_WAIT, wait * 2);
    }
  }

  /** Ask for the REPL's phase. If the REPL ended because its server went away, start it again. */
  private async _find(attempt: number): Promise<void> {
    let phase = await this._api.phase();
    if (phase.name === 'starting' || phase.name === 'stopping') {
      phase = await this._api.follow(() => undefined);
    }
    if (attempt !== this._attempt) {
      return;
    }
    if (phase.name === 'stopped' && phase.cause === 'server-gone') {
      await this.start('restarted');
    } else {
      await this._reach(attempt, phase, true);
    }
  }

  private _fail(attempt: number, reason: unknown): void {
    if (attempt === this._attempt) {
      this._setState({ kind: 'failed', error: ReplError.from(reason) });
    }
  }

  private _tell(phase: IPhase): void {
    const state = this._state;
    if (state.kind === 'starting' && phase.step && state.steps.at(-1) !== phase.step) {
      this._steps = [...state.steps, phase.step];
      this._setState({ kind: 'starting', steps: this._steps });
    }
  }

  private _setState(state: ReplState): void {
    this._state = state;
    this._stateChanged.emit(state);
  }

  private _state: ReplState = { kind: 'starting', steps: [] };
  private _connection: IConnection | null = null;
  private _silence = 0;
  private _notice: Notice = 'none';
  private _reason = '';
  /** The runner that the tab was last connected to. */
  private _runner = '';
  /** Raised by every action: the results of an older action are ignored. */
  private _attempt = 0;
  private _disposed = false;
  private _isAsleep = false;
  private _steps: string[] = [];
  private _wake: () => void = () => undefined;
  private readonly _stateChanged = new Signal<this, ReplState>(this);
  private readonly _connected = new Signal<this, IConnection>(this);
}
