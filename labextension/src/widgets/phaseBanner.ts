/** Shows in the tab's banner what a REPL is doing: what it waits for, for how long, and what the person can do. */

import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReplModel, ReplState } from '../model/repl';
import type { Banner, IBannerAction } from './banner';

/** Seconds after which the banner counts the seconds of a wait, and after which it calls the wait long. */
const COUNTED = 2;
const LONG = 10;

export class PhaseBanner {
  constructor(
    private readonly _banner: Banner,
    private readonly _repl: ReplModel,
    private readonly _trans: TranslationBundle
  ) {
    _repl.stateChanged.connect(this._onState, this);
    this._onState(_repl, _repl.state);
  }

  dispose(): void {
    clearInterval(this._ticking);
    this._repl.stateChanged.disconnect(this._onState, this);
  }

  private _onState(_: ReplModel, state: ReplState): void {
    if (state.kind !== this._kind) {
      this._kind = state.kind;
      this._since = Date.now();
    }
    clearInterval(this._ticking);
    if (['starting', 'stopping', 'lost'].includes(state.kind)) {
      this._ticking = setInterval(() => this._show(state), 1000);
    }
    this._show(state);
  }

  private _show(state: ReplState): void {
    const { _banner: banner, _repl: repl, _trans: trans } = this;
    const start = this._action(trans.__('Start'), () => repl.start());
    switch (state.kind) {
      case 'starting': {
        const done = state.steps.slice(0, -1).map(step => `${step} ✓`);
        const now = this._wait(state.steps.at(-1) ?? trans.__('Starting'));
        const cancel = this._action(trans.__('Cancel'), () => repl.stop());
        banner.say('info', [...done, now].join(' · '), [cancel]);
        break;
      }
      case 'lost': {
        const what = this._wait(trans.__('Connection lost. Reconnecting'));
        const kept = trans.__('Your typing is kept.');
        banner.say('warning', `${what} ${kept}`, [this._action(trans.__('Try now'), () => repl.tryNow())]);
        break;
      }
      case 'stopping': {
        const again = this._action(trans.__('Start again'), () => repl.start());
        banner.say('info', this._wait(trans.__('Stopping: saving files, ending programs')), [again]);
        break;
      }
      case 'stopped':
        if (state.asleep) {
          const message = trans.__(
            'Asleep, because nobody used it. Every file is kept. Press any key to wake it.'
          );
          banner.say('info', message, [this._action(trans.__('Wake'), () => repl.start())]);
          break;
        }
        banner.say(
          state.warning ? 'warning' : 'info',
          state.warning || trans.__('Stopped. Every file is kept.'),
          [start]
        );
        break;
      case 'failed': {
        const { error } = state;
        const details = [repl.details, `${error.code}: ${error.text}`].filter(Boolean).join('\n');
        banner.say('error', error.text, [
          this._action(trans.__('Retry'), () => repl.start()),
          this._action(trans.__('Copy details'), () => Clipboard.copyToSystem(details))
        ]);
        break;
      }
      case 'running':
        if (repl.silence) {
          const message = trans.__('The server has not answered for %1 s.', repl.silence);
          banner.say('warning', `${message} ${trans.__('Your typing is kept.')}`, []);
        } else if (repl.notice === 'restarted') {
          const message = trans.__(
            'The server was restarted, and this REPL with it: new shells, same files.'
          );
          banner.say('info', message, [this._action(trans.__('Dismiss'), () => repl.dismissNotice())]);
        } else if (repl.notice === 'replaced') {
          const reason = repl.reason || trans.__('The runner ended and was started again.');
          const message = `${reason} ${trans.__('New shells, same files.')}`;
          banner.say('info', message, [this._action(trans.__('Dismiss'), () => repl.dismissNotice())]);
        } else if (repl.notice === 'kept') {
          const again = this._action(trans.__('Stop again'), () => repl.stop());
          const anyway = this._action(trans.__('Stop without saving'), () => repl.stop(true));
          const dismiss = this._action(trans.__('Dismiss'), () => repl.dismissNotice());
          banner.say('warning', `${trans.__('The REPL was not stopped.')} ${repl.reason}`, [
            again,
            anyway,
            dismiss
          ]);
        } else {
          banner.silence();
        }
    }
  }

  /** Returns what is waited for, for how many seconds so far, and whether that is longer than usual. */
  private _wait(what: string): string {
    const seconds = Math.floor((Date.now() - this._since) / 1000);
    const trans = this._trans;
    if (seconds < COUNTED) {
      return `${what}…`;
    }
    const long = seconds >= LONG ? ` ${trans.__('(longer than usual)')}` : '';
    return `${what}… ${trans.__('%1 s', seconds)}${long}.`;
  }

  private _action(label: string, run: () => unknown): IBannerAction {
    return { label, run: () => void run() };
  }

  private _kind: ReplState['kind'] | '' = '';
  private _since = 0;
  private _ticking: ReturnType<typeof setInterval> | undefined;
}
