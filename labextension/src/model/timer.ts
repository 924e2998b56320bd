/** A timer for one call, which can be postponed or cancelled. */

/** Makes the call after `ms`. The returned function cancels it. */
export type Later = (call: () => void, ms: number) => () => void;

export const later: Later = (call, ms) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};

export class Timer {
  constructor(private readonly _later: Later) {}

  /** Make the call after `ms`, in place of one that is waiting. */
  set(call: () => void, ms: number): void {
    this.cancel();
    this._cancel = this._later(call, ms);
  }

  cancel(): void {
    this._cancel?.();
    this._cancel = null;
  }

  private _cancel: (() => void) | null = null;
}
