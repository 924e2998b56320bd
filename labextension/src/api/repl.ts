/** The API that the REPL's state machine calls, implemented with REST and the channel. */

import type { IConnection, IPhase, IReplApi } from '../model/repl';
import { splitKey } from '../model/replKey';
import { Channel } from './channel';
import type { Rest } from './rest';

export class ReplApi implements IReplApi {
  constructor(
    private readonly _rest: Rest,
    private readonly _key: string
  ) {}

  /** Only the owner can start a REPL; a visitor finds it as it is. */
  start(): Promise<IPhase> {
    return splitKey(this._key).owner ? this.phase() : this._rest.start(this._key);
  }

  stop(discard: boolean): Promise<IPhase> {
    return this._rest.stop(this._key, discard);
  }

  async phase(): Promise<IPhase> {
    return (await this._rest.project(this._key)).phase;
  }

  follow(tell: (phase: IPhase) => void): Promise<IPhase> {
    return this._rest.follow(this._key, tell);
  }

  connect(): Promise<IConnection> {
    return Channel.open(this._rest, this._key);
  }
}
