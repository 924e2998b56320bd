/** The API that the REPL's state machine calls, implemented with REST and the channel. */

import type { IConnection, IPhase, IReplApi } from '../model/repl';
import { Channel } from './channel';
import type { Rest } from './rest';

export class ReplApi implements IReplApi {
  constructor(
    private readonly _rest: Rest,
    private readonly _replId: string
  ) {}

  start(): Promise<IPhase> {
    return this._rest.start(this._replId);
  }

  stop(discard: boolean): Promise<IPhase> {
    return this._rest.stop(this._replId, discard);
  }

  async phase(): Promise<IPhase> {
    return (await this._rest.project(this._replId)).phase;
  }

  follow(tell: (phase: IPhase) => void): Promise<IPhase> {
    return this._rest.follow(this._replId, tell);
  }

  connect(): Promise<IConnection> {
    return Channel.open(this._rest, this._replId);
  }
}
