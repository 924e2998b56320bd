/** The toolbar of one tab. Its buttons are about their own tab, also while another one is in front. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  caretDownEmptyIcon,
  ellipsesIcon,
  LabIcon,
  runIcon,
  stopIcon,
  Toolbar,
  ToolbarButton
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { powerIcon } from '../widgets/icons';
import { describeFiles, describeRepl } from '../widgets/words';
import { IPoint, openMoreMenu, openRunMenu } from './menus';
import type { Workspace } from './workspace';

export class ReplToolbar {
  constructor(
    private readonly _workspace: Workspace,
    commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    const workspace = _workspace;
    const trans = _trans;
    const power = trans.__('Stop or start this REPL; its files are kept');
    this._run = makeButton(runIcon, trans.__('Run'), trans.__('Run the project (Ctrl+Enter)'), () => {
      void workspace.runs.run();
    });
    this._stop = makeButton(stopIcon, trans.__('Stop'), trans.__('Stop the program (Shift+F5)'), () => {
      workspace.runs.stop();
    });
    const newTerminal = trans.__('New terminal (Ctrl+Shift+`)');
    this._terminal = makeButton(addIcon, trans.__('Terminal'), newTerminal, () => {
      void workspace.newTerminal();
    });
    this._status.addClass('jp-Repl-status');
    this._status.node.setAttribute('role', 'status');
    const items: [string, Widget][] = [
      ['run', this._run],
      [
        'run-menu',
        makeButton(caretDownEmptyIcon, '', trans.__('Other ways to run'), at => openRunMenu(commands, at))
      ],
      ['stop', this._stop],
      ['terminal', this._terminal],
      ['spacer', Toolbar.createSpacerItem()],
      ['status', this._status],
      ['power', makeButton(powerIcon, '', power, () => workspace.togglePower())],
      ['more', makeButton(ellipsesIcon, '', trans.__('More actions'), at => openMoreMenu(commands, at))]
    ];
    items.forEach(([name, widget]) => workspace.panel.toolbar.addItem(name, widget));
  }

  /** Say what the tab is doing, and offer what makes sense. */
  update(): void {
    const { panel, language, repl, documents, runs } = this._workspace;
    const { kind } = repl.state;
    const isOn = kind === 'running';
    const isRunning = runs.runs.current !== null;
    const words = [
      panel.title.label,
      language,
      describeRepl(kind, this._trans),
      describeFiles(documents.texts.states, this._trans)
    ];
    this._status.node.textContent = words.filter(Boolean).join(' · ');
    this._run.enabled = isOn && !isRunning;
    this._stop.enabled = isOn && isRunning;
    this._terminal.enabled = isOn;
  }

  private readonly _status = new Widget();
  private readonly _run: ToolbarButton;
  private readonly _stop: ToolbarButton;
  private readonly _terminal: ToolbarButton;
}

/** @param onClick - told the corner below the button, where a menu opens */
function makeButton(
  icon: LabIcon,
  label: string,
  tooltip: string,
  onClick: (at: IPoint) => void
): ToolbarButton {
  const button: ToolbarButton = new ToolbarButton({
    icon,
    label,
    tooltip,
    onClick: () => {
      const { left, bottom } = button.node.getBoundingClientRect();
      onClick({ x: left, y: bottom });
    }
  });
  return button;
}
