/** The toolbar of one tab. Its buttons act on this tab, also while another one is in front. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  caretDownEmptyIcon,
  ellipsesIcon,
  LabIcon,
  runIcon,
  stopIcon,
  Toolbar
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { IPoint, makeIconButton, powerIcon } from '../widgets/buttons';
import type { ReplModel } from '../model/repl';
import type { SyncModel } from '../model/synced';
import type { ReplPanel } from '../widgets/replPanel';
import { describeFiles, describeRepl, describeSync } from '../widgets/words';
import type { Documents } from './documents';
import type { RunControl } from './runs';
import { openMoreMenu, openRunMenu } from './menus';

/** The parts of a tab that its toolbar uses. */
export interface IToolbarSource {
  readonly panel: ReplPanel;
  readonly repl: ReplModel;
  readonly documents: Documents;
  readonly runs: RunControl;
  readonly language: string;
  readonly isVisit: boolean;
  readonly sync: SyncModel;
  newTerminal(): Promise<void>;
  togglePower(): void;
}

export class ReplToolbar {
  constructor(
    private readonly _workspace: IToolbarSource,
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

  /** Show the tab's status, and enable the buttons that apply. */
  update(): void {
    const { panel, language, repl, sync, documents, runs } = this._workspace;
    const { kind } = repl.state;
    const isOn = kind === 'running' && !this._workspace.isVisit;
    const isRunning = runs.runs.current !== null;
    const words = [
      panel.title.label,
      language,
      describeRepl(kind, this._trans),
      describeFiles(documents.texts.states, documents.texts.autoSave, this._trans),
      describeSync(sync.marks, this._trans)
    ];
    this._status.node.textContent = words.filter(Boolean).join(' · ');
    enable(this._run, isOn && !isRunning);
    enable(this._stop, isOn && isRunning);
    enable(this._terminal, isOn);
  }

  private readonly _status = new Widget();
  private readonly _run: Widget;
  private readonly _stop: Widget;
  private readonly _terminal: Widget;
}

/** A button of our own, because JupyterLab's is a web component with attributes that its role does not allow. */
function makeButton(icon: LabIcon, label: string, tooltip: string, onClick: (at: IPoint) => void): Widget {
  const button = makeIconButton(tooltip, icon, onClick);
  button.classList.add('jp-Repl-toolButton');
  if (label) {
    button.setAttribute('aria-label', label);
    button.append(label);
  }
  return new Widget({ node: button });
}

function enable(widget: Widget, isEnabled: boolean): void {
  (widget.node as HTMLButtonElement).disabled = !isEnabled;
}
