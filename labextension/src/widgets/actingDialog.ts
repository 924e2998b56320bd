/** A dialog that does something: it stays open, with what was typed, while anything is wrong. */

import { Dialog } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';
import { ReplError } from '../model/messages';

export interface IForm extends Widget {
  /** Say what is wrong with what is there; whether nothing is. */
  check(): boolean;
  /** Do it; rejects with a ReplError. */
  act(): Promise<unknown>;
  /** Say why it could not be done. */
  refuse(reason: string): void;
}

export class ActingDialog extends Dialog<string> {
  /** @param options - the first button is the one that does nothing */
  constructor(
    private readonly _form: IForm,
    options: Partial<Dialog.IOptions<string>>
  ) {
    super({ ...options, body: _form as Widget, focusNodeSelector: 'input' });
  }

  /** Called for a button, and for Enter without one: only what was done closes the dialog. */
  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(0);
    } else {
      void this._act();
    }
  }

  private async _act(): Promise<void> {
    if (this._isBusy || !this._form.check()) {
      return;
    }
    this._isBusy = true;
    try {
      await this._form.act();
      super.resolve(1);
    } catch (reason) {
      this._form.refuse(ReplError.from(reason).text);
    } finally {
      this._isBusy = false;
    }
  }

  private _isBusy = false;
}
