/** A line above the panes that says what is going on; never modal. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { ReplModel, ReplState } from '../model/repl';

export interface IBannerAction {
  label: string;
  run(): void;
}

export class Banner extends Widget {
  constructor() {
    super();
    this.addClass('jp-Repl-banner');
    this.node.setAttribute('role', 'status');
    this.node.setAttribute('aria-live', 'polite');
    this._line.className = 'jp-Repl-bannerLine';
    this.node.append(this._line);
    this._observer.observe(this._line);
    this.hide();
  }

  override dispose(): void {
    this._observer.disconnect();
    super.dispose();
  }

  /** Show a message with its actions; the level is for colour only, the words say all. */
  say(level: 'info' | 'warning' | 'error', message: string, actions: IBannerAction[] = []): void {
    this.node.dataset.level = level;
    const text = document.createElement('span');
    text.textContent = message;
    this._line.replaceChildren(text, ...actions.map(makeButton));
    // not the `hidden` attribute: the panel around refits on Lumino's messages only
    this.show();
  }

  silence(): void {
    this.hide();
    this._line.replaceChildren();
  }

  /** Lumino's box layouts give a widget its minimal height, so a message that wraps has to ask for more. */
  private _fit(): void {
    this.node.style.minHeight = `${this._line.offsetHeight}px`;
    this.parent?.fit();
  }

  private readonly _line = document.createElement('div');
  private readonly _observer = new ResizeObserver(() => this._fit());
}

function makeButton(action: IBannerAction): HTMLElement {
  const button = document.createElement('button');
  button.className = 'jp-Repl-bannerButton jp-mod-styled jp-mod-minimal';
  button.textContent = action.label;
  button.onclick = () => action.run();
  return button;
}

/** Say in the banner what the REPL is doing, as it changes. */
export function followRepl(banner: Banner, repl: ReplModel, trans: TranslationBundle): void {
  const start: IBannerAction = { label: trans.__('Start'), run: () => void repl.start() };
  const show = (state: ReplState): void => {
    switch (state.kind) {
      case 'starting': {
        const steps = state.steps.length ? state.steps.join(' · ') : trans.__('Starting');
        const cancel = { label: trans.__('Cancel'), run: () => void repl.stop() };
        banner.say('info', `${steps}…`, [cancel]);
        break;
      }
      case 'lost':
        banner.say('warning', trans.__('Connection lost. Looking for the server… Your typing is kept.'));
        break;
      case 'stopping':
        banner.say('info', trans.__('Stopping: saving and ending programs…'));
        break;
      case 'stopped':
        banner.say('info', trans.__('Stopped. Every file is kept.'), [start]);
        break;
      case 'failed':
        banner.say('error', state.error.text, [start]);
        break;
      case 'running':
        if (repl.notice === 'restarted') {
          const message = trans.__(
            'The server was restarted, and this REPL with it: new shells, same files.'
          );
          banner.say('info', message, [{ label: trans.__('Dismiss'), run: () => repl.dismissNotice() }]);
        } else {
          banner.silence();
        }
    }
  };
  repl.stateChanged.connect((_, state) => show(state));
  show(repl.state);
}
