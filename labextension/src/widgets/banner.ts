/** A line above the panes that says what is going on; never modal. */

import { Widget } from '@lumino/widgets';

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
    const said = JSON.stringify([level, message, actions.map(({ label }) => label)]);
    if (said === this._said && this.isVisible) {
      return; // who is about to press a button of it still finds that
    }
    this._said = said;
    this.node.dataset.level = level;
    const text = document.createElement('span');
    text.textContent = message;
    this._line.replaceChildren(text, ...actions.map(makeButton));
    // not the `hidden` attribute: the panel around refits on Lumino's messages only
    this.show();
  }

  silence(): void {
    this._said = '';
    this.hide();
    this._line.replaceChildren();
  }

  /** Lumino's box layouts give a widget its minimal height, so a message that wraps has to ask for more. */
  private _fit(): void {
    this.node.style.minHeight = `${this._line.offsetHeight}px`;
    this.parent?.fit();
  }

  private _said = '';
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
