/** A REPL's tab: its banner and its panes. No behaviour. */

import '../../style/base.css'; // not as the package's `style`, which JupyterLab loads at its start

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DockPanelSvg } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { DockPanel, Widget } from '@lumino/widgets';
import { Banner } from './banner';
import { Panes } from './panes';

export class ReplPanel extends MainAreaWidget<Panes> {
  /**
   * @param key - the key of the REPL, see `model/replKey`
   * @param _beforeClose - called when the person closes the tab; the tab closes once it has settled
   */
  constructor(
    readonly key: string,
    tree: Widget,
    private readonly _beforeClose: () => Promise<void>,
    trans: TranslationBundle
  ) {
    const editors = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });
    const side = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });
    super({ content: new Panes({ tree, editors, side }, trans) });
    this.editors = editors;
    this.side = side;
    this.addClass('jp-Repl');
    this.id = `jupyter-repl-${key.replace('/', '--')}`;
    this.title.closable = true;
    this.rename(key, trans);
    editors.addClass('jp-Repl-editors');
    side.addClass('jp-Repl-side');
    this.contentHeader.addWidget(this.banner);
    this.contentHeader.addWidget(this.syncBanner);
    this.contentHeader.addWidget(this.content.bar);
  }

  readonly banner = new Banner();
  /** Shows how files are saved; `banner` shows what the REPL is doing. */
  readonly syncBanner = new Banner();
  readonly editors: DockPanel;
  readonly side: DockPanel;

  /** Show another title; the id stays. */
  rename(title: string, trans: TranslationBundle): void {
    this.title.label = title;
    this.title.caption = title === this.key ? trans.__('REPL %1', title) : `${title} (${this.key})`;
  }

  /** Show the console above the terminals. */
  addConsole(widget: Widget): void {
    this.side.addWidget(widget, { mode: 'split-top' });
  }

  addTerminal(widget: Widget, terminals: Iterable<Widget>): void {
    const last = [...terminals].filter(other => other.parent === this.side).at(-1);
    this.side.addWidget(widget, last ? { mode: 'tab-after', ref: last } : { mode: 'split-bottom' });
    this.side.selectWidget(widget);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      // Lumino's dock layout lists its widgets only after it has cleared its state, so it disposes of none of them
      [...this.editors.widgets(), ...this.side.widgets()].forEach(widget => widget.dispose());
      super.dispose();
    }
  }

  protected override onCloseRequest(msg: Message): void {
    void this._beforeClose().finally(() => super.onCloseRequest(msg));
  }
}
