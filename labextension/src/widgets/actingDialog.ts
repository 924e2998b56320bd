/** A dialog that performs an action. It stays open and keeps its input until the action has succeeded. */

import { Dialog } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';
import { ReplError } from '../model/messages';

export interface IForm extends Widget {
  /** Show what is wrong with the input. Returns true if nothing is. */
  check(): boolean;
  /** Perform the action; rejects with a ReplError. */
  act(): Promise<unknown>;
  /** Show why the action failed. */
  refuse(reason: string): void;
}

export class ActingDialog extends Dialog<string> {
  /** @param options - the first button cancels */
  constructor(
    private readonly _form: IForm,
    options: Partial<Dialog.IOptions<string>>
  ) {
    super({ ...options, body: _form as Widget, focusNodeSelector: 'input' });
  }

  /** Called with a button's index, and for Enter without one. Only Cancel or a successful action closes the dialog. */
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
