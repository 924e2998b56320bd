/** Notices in the corner of JupyterLab. JupyterLab cuts long messages, so a dialog shows the whole text. */

import { Notification, showDialog, Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** The longest message that JupyterLab shows whole, in UTF-16 units. */
const MOST = 140;

type Options = Pick<Notification.IOptions<never>, 'autoClose' | 'actions'>;

/** Shows a notice and returns its id. */
export function notify(
  type: Notification.TypeOptions,
  message: string,
  options: Options,
  trans: TranslationBundle
): string {
  const { message: short, actions } = fitting(message, options.actions ?? [], trans);
  return Notification.emit(short, type, { ...options, actions });
}

/** Returns a message that fits, and its buttons. A message that was cut gets the button Details. */
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
      event.preventDefault(); // the notice stays open
      const buttons = [Dialog.okButton({ label: trans.__('Close') })];
      void showDialog({ title: trans.__('Details'), body: message, buttons });
    }
  };
  return {
    message: `${cut.slice(0, Math.max(cut.lastIndexOf(' '), MOST / 2))}…`,
    actions: [...actions, details]
  };
}
