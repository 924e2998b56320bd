/**
 * The panes of a tab: tree, editors, and the console with its terminals. They are side by side. In a tab narrower than
 * 900 px the right column is below the editors; narrower than 600 px, the tab shows one pane at a time.
 */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';
import { SplitPanel, Widget } from '@lumino/widgets';
import { followHandles } from './handles';

export type Pane = 'tree' | 'editors' | 'side';

export interface IPaneLayout {
  /** Relative sizes: `outer` of tree and the rest, `inner` of editors and side. Empty until a border was moved. */
  outer: number[];
  inner: number[];
  /** The panes that the person has hidden. */
  hidden: Pane[];
}

const OUTER = [0.16, 0.84];
const INNER = [0.57, 0.43];
const STACKED = 900;
const TABS = 600;

export class Panes extends SplitPanel {
  constructor(
    private readonly _panes: Record<Pane, Widget>,
    trans: TranslationBundle
  ) {
    super({ orientation: 'horizontal', spacing: 4 });
    this.addClass('jp-Repl-panes');
    this._inner.addClass('jp-Repl-panes');
    this._inner.addWidget(_panes.editors);
    this._inner.addWidget(_panes.side);
    this.addWidget(_panes.tree);
    this.addWidget(this._inner);
    this.bar = new PaneBar(pane => this.bring(pane), trans);
    this.bar.hide();
    followHandles(
      this,
      () => this._reset(this, OUTER),
      () => this._onMoved(),
      trans
    );
    followHandles(
      this._inner,
      () => this._reset(this._inner, INNER),
      () => this._onMoved(),
      trans
    );
    this._apply({ outer: [], inner: [], hidden: [] });
  }

  /** The buttons that choose the pane in a narrow window. */
  readonly bar: PaneBar;

  /** The person has moved a border, or hidden or shown a pane. */
  get moved(): ISignal<this, void> {
    return this._moved;
  }

  get layoutState(): IPaneLayout {
    return { outer: this._outerSizes, inner: this._innerSizes, hidden: [...this._hidden] };
  }

  set layoutState(state: IPaneLayout) {
    this._apply(state);
  }

  /** Hide a pane, or show it again. */
  toggle(pane: Pane): void {
    if (!this._hidden.delete(pane)) {
      this._hidden.add(pane);
    }
    this._arrange();
    this._moved.emit();
  }

  /** Show a pane if it is hidden, and in a narrow window bring it to the front. */
  bring(pane: Pane): void {
    this._front = pane;
    if (this._hidden.delete(pane)) {
      this._moved.emit();
    }
    this._arrange();
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    const width = msg.width >= 0 ? msg.width : this.node.offsetWidth;
    const mode = width >= STACKED || width === 0 ? 'wide' : width >= TABS ? 'stacked' : 'tabs';
    if (mode !== this._mode) {
      this._mode = mode;
      this._inner.orientation = mode === 'wide' ? 'horizontal' : 'vertical';
      this._share(); // a narrow window squeezes the panes: give them their shares back
      this._arrange();
    }
    super.onResize(msg);
  }

  private _apply({ outer, inner, hidden }: IPaneLayout): void {
    this._outerSizes = outer;
    this._innerSizes = inner;
    this._hidden = new Set(hidden);
    this._share();
    this._arrange();
  }

  /** Give each pane its share of the window. */
  private _share(): void {
    this.setRelativeSizes(this._outerSizes.length === 2 ? this._outerSizes : OUTER);
    this._inner.setRelativeSizes(this._innerSizes.length === 2 ? this._innerSizes : INNER);
  }

  private _arrange(): void {
    const isTabs = this._mode === 'tabs';
    const isShown = (pane: Pane): boolean => (isTabs ? pane === this._front : !this._hidden.has(pane));
    for (const pane of PANES) {
      this._panes[pane].setHidden(!isShown(pane));
    }
    this._inner.setHidden(!isShown('editors') && !isShown('side'));
    this.bar.setHidden(!isTabs);
    this.bar.select(this._front);
    this.node.dataset.mode = this._mode;
  }

  private _reset(split: SplitPanel, sizes: number[]): void {
    split.setRelativeSizes(sizes);
    this._onMoved();
  }

  /** Stores sizes only when a person has set them, not when a narrow window has changed them. */
  private _onMoved(): void {
    this._outerSizes = this.relativeSizes();
    this._innerSizes = this._inner.relativeSizes();
    this._moved.emit();
  }

  private readonly _inner = new SplitPanel({ orientation: 'horizontal', spacing: 4 });
  private _outerSizes: number[] = [];
  private _innerSizes: number[] = [];
  private _hidden = new Set<Pane>();
  private _front: Pane = 'editors';
  private _mode: 'wide' | 'stacked' | 'tabs' = 'wide';
  private readonly _moved = new Signal<this, void>(this);
}

const PANES: readonly Pane[] = ['tree', 'editors', 'side'];

/** Chooses the pane of a narrow window. */
class PaneBar extends Widget {
  constructor(choose: (pane: Pane) => void, trans: TranslationBundle) {
    super();
    this.addClass('jp-Repl-paneBar');
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', trans.__('Panes'));
    const labels: Record<Pane, string> = {
      tree: trans.__('Files'),
      editors: trans.__('Editor'),
      side: trans.__('Console and terminal')
    };
    for (const pane of PANES) {
      const button = document.createElement('button');
      button.className = 'jp-Repl-paneButton';
      button.textContent = labels[pane];
      button.onclick = () => choose(pane);
      this._buttons.set(pane, button);
      this.node.append(button);
    }
  }

  select(pane: Pane): void {
    this._buttons.forEach((button, name) => button.setAttribute('aria-pressed', String(name === pane)));
  }

  private readonly _buttons = new Map<Pane, HTMLButtonElement>();
}
