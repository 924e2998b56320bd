/** A line above the panes that shows what is going on; never modal. */

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

  /** Show a message with its actions. The level only sets the colour, so the message must say everything. */
  say(level: 'info' | 'warning' | 'error', message: string, actions: IBannerAction[] = []): void {
    const said = JSON.stringify([level, message, actions.map(({ label }) => label)]);
    if (said === this._said && this.isVisible) {
      return; // keep the buttons: a person may be about to press one
    }
    this._said = said;
    this.node.dataset.level = level;
    const text = document.createElement('span');
    text.textContent = message;
    this._line.replaceChildren(text, ...actions.map(makeButton));
    // not by the `hidden` attribute: the parent panel lays out again only on Lumino's messages
    this.show();
  }

  silence(): void {
    this._said = '';
    this.hide();
    this._line.replaceChildren();
  }

  /** Lumino's box layouts give a widget its minimal height, so a message that wraps must raise that height. */
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
