/** The layout of a REPL's tab: tree, editors, console and terminals, side by side. No behaviour. */

import '../../style/base.css'; // not the package's style: that is loaded with JupyterLab

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, DockPanelSvg, runIcon, stopIcon, Toolbar, ToolbarButton } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { DockPanel, SplitPanel, Widget } from '@lumino/widgets';
import { Banner } from './banner';
import { powerIcon } from './icons';

export interface IPanelActions {
  run(): void;
  stopRun(): void;
  newTerminal(): void;
  togglePower(): void;
  /** The tab is being closed; it goes once this has resolved. */
  beforeClose(): Promise<void>;
}

export interface IPanelLayout {
  /** Relative widths of tree, editors, and the right column. */
  columns: number[];
}

const DEFAULT_COLUMNS = [0.16, 0.48, 0.36];

export class ReplPanel extends MainAreaWidget<SplitPanel> {
  constructor(
    readonly replId: string,
    tree: Widget,
    private readonly _actions: IPanelActions,
    trans: TranslationBundle
  ) {
    super({ content: new SplitPanel({ orientation: 'horizontal', spacing: 4 }) });
    this.addClass('jp-Repl');
    this.id = `jupyter-repl-${replId}`;
    this.title.label = replId;
    this.title.caption = trans.__('REPL %1', replId);
    this.title.closable = true;
    this.content.addClass('jp-Repl-columns');
    this.editors.addClass('jp-Repl-editors');
    this.side.addClass('jp-Repl-side');
    this.contentHeader.addWidget(this.banner);
    for (const column of [tree, this.editors, this.side]) {
      this.content.addWidget(column);
    }
    this.content.setRelativeSizes(DEFAULT_COLUMNS);
    this._fillToolbar(trans);
  }

  readonly banner = new Banner();
  readonly editors = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });
  readonly side = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });

  get columns(): number[] {
    return this.content.relativeSizes();
  }

  set columns(sizes: number[]) {
    this.content.setRelativeSizes(sizes.length === 3 ? sizes : DEFAULT_COLUMNS);
  }

  /** Add an editor as the last tab of the ones that are there. */
  addEditor(widget: Widget): void {
    addTab(this.editors, widget);
  }

  /** Show console and terminals: the console above, the terminals below it. */
  addConsole(widget: Widget): void {
    this.side.addWidget(widget, { mode: 'split-top' });
  }

  addTerminal(widget: Widget, terminals: Iterable<Widget>): void {
    const last = [...terminals].filter(other => other.parent === this.side).at(-1);
    this.side.addWidget(widget, last ? { mode: 'tab-after', ref: last } : { mode: 'split-bottom' });
    this.side.selectWidget(widget);
  }

  /** What is said at the right of the toolbar, and which buttons make sense. */
  setStatus(text: string, isOn: boolean, isRunning: boolean): void {
    this._status.node.textContent = text;
    this._run.enabled = isOn && !isRunning;
    this._stop.enabled = isOn && isRunning;
    this._terminal.enabled = isOn;
    this._power.node.dataset.on = String(isOn);
  }

  protected override onCloseRequest(msg: Message): void {
    void this._actions.beforeClose().finally(() => super.onCloseRequest(msg));
  }

  private _fillToolbar(trans: TranslationBundle): void {
    this._run = new ToolbarButton({
      icon: runIcon,
      label: trans.__('Run'),
      tooltip: trans.__('Run the project (Ctrl+Enter)'),
      onClick: () => this._actions.run()
    });
    this._stop = new ToolbarButton({
      icon: stopIcon,
      label: trans.__('Stop'),
      tooltip: trans.__('Stop the program (Shift+F5)'),
      onClick: () => this._actions.stopRun()
    });
    this._terminal = new ToolbarButton({
      icon: addIcon,
      label: trans.__('Terminal'),
      tooltip: trans.__('New terminal (Ctrl+Shift+`)'),
      onClick: () => this._actions.newTerminal()
    });
    this._power = new ToolbarButton({
      icon: powerIcon,
      tooltip: trans.__('Stop or start this REPL; its files are kept'),
      onClick: () => this._actions.togglePower()
    });
    this._status.addClass('jp-Repl-status');
    this._status.node.setAttribute('role', 'status');
    const items: [string, Widget][] = [
      ['run', this._run],
      ['stop', this._stop],
      ['terminal', this._terminal],
      ['spacer', Toolbar.createSpacerItem()],
      ['status', this._status],
      ['power', this._power]
    ];
    items.forEach(([name, widget]) => this.toolbar.addItem(name, widget));
  }

  private readonly _status = new Widget();
  private _run!: ToolbarButton;
  private _stop!: ToolbarButton;
  private _terminal!: ToolbarButton;
  private _power!: ToolbarButton;
}

function addTab(dock: DockPanel, widget: Widget): void {
  const last = [...dock.widgets()].at(-1);
  dock.addWidget(widget, last ? { mode: 'tab-after', ref: last } : {});
}
