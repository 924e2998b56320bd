/** The runs of a REPL as the tab knows them: the last ones, and which is shown. */

import { ISignal, Signal } from '@lumino/signaling';
import type { IRun } from './messages';

/** As many as the runner keeps. */
const HISTORY = 20;

/** Replaces the terminal's number in a run of an earlier runner: another terminal may have that number now. */
export const NO_TERMINAL = -1;
const GONE = { code: null, signal: null };

export class Runs {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Oldest first. */
  get all(): readonly IRun[] {
    return this._runs;
  }

  /** The run that is shown; null before the first run. */
  get shown(): IRun | null {
    return this._runs.find(({ run }) => run === this._shown) ?? null;
  }

  /** The run that has not ended; null if there is none. */
  get current(): IRun | null {
    return this._runs.find(isRunning) ?? null;
  }

  /** Take the runner's runs after connecting. If it has none, it is a new runner, and older runs have ended. */
  load(runs: readonly IRun[]): void {
    const shown = this.shown;
    if (!runs.length) {
      this._runs = this._runs.map(run => ({
        ...run,
        ...(isRunning(run) ? GONE : {}),
        terminal: NO_TERMINAL
      }));
    } else {
      this._runs = [...runs];
      const isKept = runs.some(({ run, started }) => run === shown?.run && started === shown.started);
      this._shown = isKept ? this._shown : runs.at(-1)!.run;
    }
    this._changed.emit();
  }

  show(run: number): void {
    this._shown = run;
    this._changed.emit();
  }

  /** A run has begun or ended. A run that begins is shown. */
  put(run: IRun): void {
    const index = this._runs.findIndex(other => other.run === run.run);
    if (index < 0) {
      this._runs = [...this._runs, run].slice(-HISTORY);
      this._shown = run.run;
    } else {
      this._runs = this._runs.map(other => (other.run === run.run ? { ...other, ...run } : other));
    }
    this._changed.emit();
  }

  private _runs: IRun[] = [];
  private _shown = 0;
  private readonly _changed = new Signal<this, void>(this);
}

export function isRunning(run: IRun): boolean {
  return run.code === undefined;
}
