/** Restores files that a person or a program deleted from a project: lists deletions, and reports the result. */

import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IDeleted, Rest } from '../api/rest';
import { ReplError } from '../model/messages';
import { notify } from '../widgets/notices';

/** Without `autoClose` a notification does not pop up, but only waits in JupyterLab's list. */
const SHOWN = { autoClose: 5000 } as const;

/** Ask which deletions to restore, and restore them. Never rejects: errors are shown. */
export async function recoverDeleted(rest: Rest, replId: string, trans: TranslationBundle): Promise<void> {
  try {
    const deleted = await rest.deleted(replId);
    if (!deleted.length) {
      Notification.info(trans.__('Nothing was deleted in the last 7 days.'), SHOWN);
      return;
    }
    const choice = new Choice(deleted, trans);
    const { button } = await showDialog({
      title: trans.__('Restore Deleted Files'),
      body: choice,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Restore') })
      ],
      focusNodeSelector: 'select'
    });
    if (button.accept) {
      const done = [];
      for (const item of choice.getValue()) {
        done.push(await rest.restoreDeleted(replId, item));
      }
      tell(
        done.flatMap(({ restored }) => restored),
        done.flatMap(({ kept }) => kept),
        trans
      );
    }
  } catch (reason) {
    notify('error', ReplError.from(reason).text, { autoClose: 8000 }, trans);
  }
}

function tell(restored: string[], kept: string[], trans: TranslationBundle): void {
  if (restored.length) {
    Notification.success(trans._n('Restored one file.', 'Restored %1 files.', restored.length), SHOWN);
  }
  if (kept.length) {
    notify(
      'warning',
      trans.__('Not restored, because something of the same name exists: %1', kept.join(', ')),
      SHOWN,
      trans
    );
  }
}

class Choice extends Widget implements Dialog.IBodyWidget<string[]> {
  constructor(deleted: IDeleted[], trans: TranslationBundle) {
    super();
    this._list.size = Math.min(10, Math.max(2, deleted.length));
    this._list.multiple = true; // JupyterLab's dialogs tell a list from a drop-down menu by this
    this._list.setAttribute('aria-label', trans.__('What was deleted, newest first'));
    this._list.append(...deleted.map(each => makeOption(each, trans)));
    this._list.selectedIndex = 0;
    this.node.append(this._list);
  }

  getValue(): string[] {
    return [...this._list.selectedOptions].map(({ value }) => value);
  }

  private readonly _list = document.createElement('select');
}

function makeOption({ item, when, count, paths }: IDeleted, trans: TranslationBundle): HTMLElement {
  const option = document.createElement('option');
  const more = count > paths.length ? trans.__(' and %1 more', count - paths.length) : '';
  option.value = item;
  option.textContent = `${new Date(when * 1000).toLocaleString()}  ${paths.join(', ')}${more}`;
  return option;
}
