/** A REPL's tab: its toolbar, its banner and its panes. No behaviour. */

import '../../style/base.css'; // not the package's style: that is loaded with JupyterLab

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  caretDownEmptyIcon,
  DockPanelSvg,
  ellipsesIcon,
  LabIcon,
  runIcon,
  stopIcon,
  Toolbar,
  ToolbarButton
} from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { DockPanel, Widget } from '@lumino/widgets';
import { Banner } from './banner';
import { powerIcon } from './icons';
import { Panes } from './panes';

/** A place in the window, in pixels. */
export interface IPoint {
  x: number;
  y: number;
}

export interface IPanelActions {
  run(): void;
  stopRun(): void;
  /** More ways to run. */
  runMenu(at: IPoint): void;
  newTerminal(): void;
  togglePower(): void;
  /** What else there is to do. */
  moreMenu(at: IPoint): void;
  /** The tab is being closed; it goes once this has resolved. */
  beforeClose(): Promise<void>;
}

export class ReplPanel extends MainAreaWidget<Panes> {
  constructor(
    readonly replId: string,
    tree: Widget,
    private readonly _actions: IPanelActions,
    trans: TranslationBundle
  ) {
    const editors = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });
    const side = new DockPanelSvg({ tabsConstrained: true, spacing: 4 });
    super({ content: new Panes({ tree, editors, side }, trans) });
    this.editors = editors;
    this.side = side;
    this.addClass('jp-Repl');
    this.id = `jupyter-repl-${replId}`;
    this.title.closable = true;
    this.rename(replId, trans);
    editors.addClass('jp-Repl-editors');
    side.addClass('jp-Repl-side');
    this.contentHeader.addWidget(this.banner);
    this.contentHeader.addWidget(this.content.bar);
    this._fillToolbar(trans);
  }

  readonly banner = new Banner();
  readonly editors: DockPanel;
  readonly side: DockPanel;

  /** Show another title; the id stays. */
  rename(title: string, trans: TranslationBundle): void {
    this.title.label = title;
    this.title.caption = title === this.replId ? trans.__('REPL %1', title) : `${title} (${this.replId})`;
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
    const { _actions: actions } = this;
    const button = (
      icon: LabIcon,
      label: string,
      tooltip: string,
      onClick: (at: IPoint) => void
    ): ToolbarButton => {
      const made: ToolbarButton = new ToolbarButton({
        icon,
        label,
        tooltip,
        onClick: () => {
          const { left, bottom } = made.node.getBoundingClientRect();
          onClick({ x: left, y: bottom });
        }
      });
      return made;
    };
    this._run = button(runIcon, trans.__('Run'), trans.__('Run the project (Ctrl+Enter)'), () =>
      actions.run()
    );
    this._stop = button(stopIcon, trans.__('Stop'), trans.__('Stop the program (Shift+F5)'), () =>
      actions.stopRun()
    );
    this._terminal = button(addIcon, trans.__('Terminal'), trans.__('New terminal (Ctrl+Shift+`)'), () =>
      actions.newTerminal()
    );
    const powerTip = trans.__('Stop or start this REPL; its files are kept');
    this._power = button(powerIcon, '', powerTip, () => actions.togglePower());
    this._status.addClass('jp-Repl-status');
    this._status.node.setAttribute('role', 'status');
    const items: [string, Widget][] = [
      ['run', this._run],
      ['run-menu', button(caretDownEmptyIcon, '', trans.__('Other ways to run'), at => actions.runMenu(at))],
      ['stop', this._stop],
      ['terminal', this._terminal],
      ['spacer', Toolbar.createSpacerItem()],
      ['status', this._status],
      ['power', this._power],
      ['more', button(ellipsesIcon, '', trans.__('More actions'), at => actions.moreMenu(at))]
    ];
    items.forEach(([name, widget]) => this.toolbar.addItem(name, widget));
  }

  private readonly _status = new Widget();
  private _run!: ToolbarButton;
  private _stop!: ToolbarButton;
  private _terminal!: ToolbarButton;
  private _power!: ToolbarButton;
}
