/** A runner's notices about its use: its disk is nearly full, or nobody uses the REPL and it will be stopped. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Channel } from '../api/channel';
import type { IDisk, IIdle } from '../model/messages';
import type { ReplModel } from '../model/repl';
import { notify } from '../widgets/notices';

/** Show the notices from now on. @param node - the tab's; any key in it starts a REPL that is asleep */
export function followUsage(repl: ReplModel, node: HTMLElement, trans: TranslationBundle): void {
  const disk = new DiskNotice(trans);
  const idle = new IdleNotice(repl, trans);
  repl.connected.connect((_, connection) => {
    const channel = connection as Channel;
    disk.tell(channel.loaded.disk);
    channel.event.connect((_, { event, data }) => {
      if (event === 'disk') {
        disk.tell(data as unknown as IDisk);
      } else if (event === 'idle') {
        idle.tell(channel, data as unknown as IIdle);
      }
    });
  });
  node.addEventListener('keydown', event => wakeByKey(repl, event), true);
  repl.stateChanged.connect((_, state) => {
    // The focused element is gone with the runner, so the tab would get no keys.
    if (state.kind === 'stopped' && state.asleep && document.activeElement === document.body) {
      node.tabIndex = -1;
      node.focus();
    }
  });
}

function wakeByKey(repl: ReplModel, event: KeyboardEvent): void {
  const isShortcut = event.ctrlKey || event.altKey || event.metaKey || ['Tab', 'Shift'].includes(event.key);
  if (repl.state.kind === 'stopped' && repl.state.asleep && !isShortcut) {
    event.preventDefault();
    event.stopPropagation();
    void repl.start();
  }
}

class DiskNotice {
  constructor(private readonly _trans: TranslationBundle) {}

  tell(disk: IDisk | null): void {
    const state = disk?.state ?? 'roomy';
    if (!disk || state === this._state) {
      return;
    }
    this._state = state;
    Notification.dismiss(this._shown);
    const full = this._trans.__(
      'The disk of this REPL is %1 % full.',
      Math.round((100 * disk.used) / disk.limit)
    );
    if (state === 'low') {
      const hint = this._trans.__('Delete what you don’t need: the REPL is restarted if the disk is full.');
      this._shown = notify('warning', `${full} ${hint}`, { autoClose: false }, this._trans);
    } else if (state === 'full') {
      const hint = this._trans.__('Nothing can be saved until you delete something.');
      this._shown = notify('error', `${full} ${hint}`, { autoClose: false }, this._trans);
    }
  }

  private _state: IDisk['state'] = 'roomy';
  private _shown = '';
}

class IdleNotice {
  constructor(
    private readonly _repl: ReplModel,
    private readonly _trans: TranslationBundle
  ) {}

  tell(channel: Channel, { seconds, asleep }: IIdle): void {
    const { _trans: trans } = this;
    Notification.dismiss(this._shown);
    if (asleep) {
      this._repl.fallAsleep();
    } else if (seconds) {
      const message = trans.__(
        'Nobody uses this REPL: it goes to sleep in %1 s. Its files are kept.',
        seconds
      );
      const keep = { label: trans.__('Keep'), callback: () => void channel.request('keep', {}) };
      this._shown = notify('warning', message, { autoClose: seconds * 1000, actions: [keep] }, trans);
    }
  }

  private _shown = '';
}
