/** All open tabs, with what they share: commands, settings and the status bar. Loaded with the first tab. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import type { IMainMenu } from '@jupyterlab/mainmenu';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { IStateDB } from '@jupyterlab/statedb';
import type { IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Rest } from '../api/rest';
import type { Server } from '../api/server';
import { splitKey } from '../model/replKey';
import { DEFAULTS, ISettings, parseSettings } from '../model/settings';
import { askRemove, askTitle } from '../widgets/dialogs';
import { replIcon } from '../widgets/icons';
import type { ReplPanel } from '../widgets/replPanel';
import { StatusItem } from '../widgets/statusItem';
import { addActions } from './actions';
import { removeRepl } from './drafts';
import type { ProjectList } from './projectList';
import { Workspace } from './workspace';

export { browse } from './browse';

export interface IWorkspacesOptions {
  app: JupyterFrontEnd;
  server: Server;
  projects: ProjectList;
  tracker: WidgetTracker<ReplPanel>;
  palette: ICommandPalette | null;
  menu: IMainMenu | null;
  themes: IThemeManager | null;
  state: IStateDB | null;
  settings: ISettingRegistry | null;
  statusBar: IStatusBar | null;
  trans: TranslationBundle;
}

/** The plugin whose schema holds the settings. */
const SETTINGS = 'jupyter-repl:open';

export class Workspaces {
  static async make(options: IWorkspacesOptions): Promise<Workspaces> {
    const made = new Workspaces(options);
    await made._followSettings();
    return made;
  }

  private constructor(private readonly _options: IWorkspacesOptions) {
    const { app, palette, menu, server, statusBar, trans } = _options;
    const rest = (this._rest = new Rest(server.settings, trans));
    const current = (): Workspace | null => this.current;
    addActions({
      ...{ app, palette, menu, rest, current, trans },
      rename: workspace => this._rename(workspace),
      remove: workspace => this._remove(workspace)
    });
    const item = (this._item = new StatusItem(trans));
    statusBar?.registerStatusItem('jupyter-repl:status', {
      item,
      align: 'right',
      rank: 1,
      isActive: () => this.current !== null,
      activeStateChanged: this._isOtherTab
    });
    app.shell.currentChanged?.connect(() => {
      this._isOtherTab.emit();
      this._onState();
    });
  }

  /** The tab in front; null if it is not a REPL's. */
  get current(): Workspace | null {
    const { tracker, app } = this._options;
    const panel = tracker.currentWidget;
    return panel && panel === app.shell.currentWidget ? (this._open.get(panel.key) ?? null) : null;
  }

  /** Show a REPL in its existing tab, or in a new one. */
  async open(key: string): Promise<ReplPanel> {
    const { app, tracker, state, themes, trans } = this._options;
    const rest = this._rest;
    const known = this._open.get(key);
    if (known) {
      app.shell.activateById(known.panel.id);
      return known.panel;
    }
    const { commands, docRegistry: registry, serviceManager: services } = app;
    const settings = this._settings;
    const workspace = new Workspace({
      key,
      rest,
      commands,
      registry,
      services,
      settings,
      state,
      themes,
      trans
    });
    const { panel } = workspace;
    panel.title.icon = replIcon;
    this._open.set(key, workspace);
    panel.disposed.connect(() => this._open.delete(key));
    workspace.changed.connect(() => this._onState());
    workspace.documents.moved.connect(() => this._item.tell(this.current));
    workspace.repl.stateChanged.connect(() => this._options.projects.refresh());
    app.shell.add(panel, 'main', { type: 'REPL' });
    await tracker.add(panel);
    rest.project(key).then(
      ({ title }) => panel.rename(title, trans),
      () => undefined // the start reports what is wrong
    );
    return panel;
  }

  private async _followSettings(): Promise<void> {
    const found = await this._options.settings?.load(SETTINGS).catch(() => null);
    const take = (composite: ISettingRegistry.ISettings['composite']): void => {
      this._settings = parseSettings(composite);
      this._open.forEach(workspace => workspace.updateSettings(this._settings));
    };
    if (found) {
      take(found.composite);
      found.changed.connect(({ composite }) => take(composite));
    }
  }

  private _onState(): void {
    const { current } = this;
    this._item.tell(current);
    const { documents, runs, repl, key } = current ?? {};
    const facts = [
      key,
      documents?.active,
      documents?.editor !== null,
      runs?.runs.current?.run,
      repl?.state.kind
    ];
    if (facts.join() !== this._facts) {
      this._facts = facts.join(); // all menus and toolbars update, which is too costly for every key
      this._options.app.commands.notifyCommandChanged();
    }
  }

  private async _rename({ key, panel }: Workspace): Promise<void> {
    const { trans, projects } = this._options;
    const rest = this._rest;
    const title = await askTitle(panel.title.label, title => rest.rename(key, title), trans);
    if (title !== null) {
      panel.rename(title, trans);
      projects.refresh();
      this._onState();
    }
  }

  private async _remove({ key, panel, documents }: Workspace): Promise<void> {
    const { trans, projects } = this._options;
    const rest = this._rest;
    if (await askRemove(splitKey(key).replId, () => removeRepl(rest, key), trans)) {
      documents.deleted(''); // closes all files without saving
      panel.dispose();
      projects.refresh();
    }
  }

  private readonly _rest: Rest;
  private readonly _open = new Map<string, Workspace>();
  private readonly _item: StatusItem;
  /** The facts that decide which commands are enabled. */
  private _facts = '';
  private readonly _isOtherTab = new Signal<this, void>(this);
  private _settings: ISettings = DEFAULTS;
}
