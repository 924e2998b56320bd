/** Notices in the corner of JupyterLab, which cuts them: what is longer can be read in a dialog. */

import { Notification, showDialog, Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Of a message that JupyterLab shows, in UTF-16 units. */
const MOST = 140;

type Options = Pick<Notification.IOptions<never>, 'autoClose' | 'actions'>;

/** Show a notice; its id. */
export function notify(
  type: Notification.TypeOptions,
  message: string,
  options: Options,
  trans: TranslationBundle
): string {
  const { message: short, actions } = fitting(message, options.actions ?? [], trans);
  return Notification.emit(short, type, { ...options, actions });
}

/** A message that fits, and what is added to its buttons where it had to be cut. */
export function fitting(
  message: string,
  actions: Notification.IAction[],
  trans: TranslationBundle
): { message: string; actions: Notification.IAction[] } {
  if (message.length <= MOST) {
    return { message, actions };
  }
  const cut = message.slice(0, MOST - 1);
  const details: Notification.IAction = {
    label: trans.__('Details'),
    callback: event => {
      event.preventDefault(); // it stays
      const buttons = [Dialog.okButton({ label: trans.__('Close') })];
      void showDialog({ title: trans.__('Details'), body: message, buttons });
    }
  };
  return {
    message: `${cut.slice(0, Math.max(cut.lastIndexOf(' '), MOST / 2))}…`,
    actions: [...actions, details]
  };
}
