/** The list of the person's projects, shared by all parts that show or change it. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';
import type { IProject, Server } from '../api/server';

/** The shortest time between two requests for the list, in ms. */
const REFRESH = 500;

/** The server's list, read again when something may have changed. */
export class ProjectList {
  /** @param _stop - stops a REPL; rejects with the reason if that fails */
  constructor(
    private readonly _server: Server,
    private readonly _stop: (replId: string) => Promise<unknown>
  ) {}

  get all(): readonly IProject[] {
    return this._all;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The projects that use resources: they run or are starting. */
  get active(): readonly IProject[] {
    return this._all.filter(({ phase }) => phase.name === 'running' || phase.name === 'starting');
  }

  refresh(): void {
    if (!this._isWaiting) {
      this._isWaiting = true;
      setTimeout(() => void this._read().catch(() => undefined), REFRESH);
    }
  }

  async stop({ replId }: IProject): Promise<void> {
    try {
      await this._stop(replId);
    } finally {
      this.refresh(); // the new list shows the result
    }
  }

  private async _read(): Promise<void> {
    this._isWaiting = false;
    const all = await this._server.projects();
    if (JSON.stringify(all) !== JSON.stringify(this._all)) {
      this._all = all;
      this._changed.emit();
    }
  }

  private _all: readonly IProject[] = [];
  private _isWaiting = false;
  private readonly _changed = new Signal<this, void>(this);
}

export const IProjectList = new Token<ProjectList>('jupyter-repl:IProjectList', 'The list of REPL projects.');

/** One line about a project. */
export function describe({ title, replId, language, phase }: IProject, trans: TranslationBundle): string {
  const name = title === replId ? title : `${title} (${replId})`;
  return trans.__('%1, %2, %3', name, language, phase.name);
}
