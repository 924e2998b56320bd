/** One call that waits, and can be put off. */

/** Calls after so many ms; what it returns cancels that. */
export type Later = (call: () => void, ms: number) => () => void;

export const later: Later = (call, ms) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};

export class Timer {
  constructor(private readonly _later: Later) {}

  /** Call after `ms`, in place of what waits. */
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
