/** Wires one REPL's tab: state machine, files, terminals and panes. Owns them all until the tab is closed. */

import type { IThemeManager } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ServiceManager } from '@jupyterlab/services';
import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { ISignal, Signal } from '@lumino/signaling';
import { Channel } from '../api/channel';
import { Files } from '../api/files';
import { ReplApi } from '../api/repl';
import type { Rest } from '../api/rest';
import type { Drafts } from '../model/drafts';
import type { IChanged, IMessage, IRun } from '../model/messages';
import { onceOrAgain } from '../model/once';
import { ReplModel } from '../model/repl';
import { splitKey } from '../model/replKey';
import { ISynced, SyncModel } from '../model/synced';
import type { ISettings } from '../model/settings';
import { IPage, TreeModel } from '../model/tree';
import type { ILocation } from '../model/traceback';
import { PhaseBanner } from '../widgets/phaseBanner';
import { Pane } from '../widgets/panes';
import { ReplPanel } from '../widgets/replPanel';
import { ITerminalOptions, Terminal } from '../widgets/terminal';
import { Tree } from '../widgets/tree';
import { Documents } from './documents';
import { draftsOf, scopeOf } from './drafts';
import { FileActions } from './fileActions';
import { routeKeys } from './keys';
import { LayoutKeeper, readLayout, restoreLayout } from './layout';
import { followLeaving } from './leaving';
import { loadMonaco, loadXterm } from './lazy';
import { treeButtons } from './menus';
import { RunControl } from './runs';
import { followSync } from './syncNotices';
import { followTabMenus } from './tabMenu';
import { ReplToolbar } from './toolbar';
import { followUsage } from './usageNotices';
import { followVisits } from './visits';
import { iconOf } from './views';
import { Terminals } from './terminals';

export interface IWorkspaceOptions {
  /** See `model/replKey`. */
  key: string;
  rest: Rest;
  commands: CommandRegistry;
  registry: DocumentRegistry;
  services: ServiceManager.IManager;
  settings: ISettings;
  state: IStateDB | null;
  themes: IThemeManager | null;
  trans: TranslationBundle;
}

export class Workspace {
  constructor(private readonly _options: IWorkspaceOptions) {
    const { key, rest, state, trans, themes, commands, registry, services, settings } = _options;
    const channel = (): Channel | null => this._channel;
    const files = new Files(rest, key, channel);
    const drafts = (this._drafts = draftsOf(rest, key));
    const rows = (this._treeModel = new TreeModel((path, offset) => files.list(path, offset)));
    const buttons = treeButtons(commands, this.isVisit);
    this.files = new FileActions({
      tree: () => this.tree,
      files,
      documents: () => this.documents,
      archiveUrl: path => rest.archiveUrl(key, path ? { path } : {}),
      trans
    });
    this.tree = new Tree(rows, this.files, name => iconOf(registry, name), buttons, trans);
    this.panel = new ReplPanel(key, this.tree, () => this.documents.texts.leave(), trans);
    this.documents = new Documents({
      ...{ key, files, drafts, settings, registry, services, trans },
      ...{ scope: scopeOf(rest, key), dock: this.panel.editors, monaco: this._monaco }
    });
    const openLocation = (location: ILocation): void => this.openLocation(location);
    const folder = (): string => this._channel?.loaded.folder ?? '';
    const terminals: ITerminalOptions = { settings, folder, openLocation, trans };
    this.terminals = new Terminals(this.panel, this._xterm, terminals, channel);
    this.runs = new RunControl({
      channel,
      show: () => this._showConsole(),
      save: () => this.save(),
      terminal: new Terminal(this._xterm, terminals),
      trans
    });
    this.panel.addConsole(this.runs.console);
    this._layout = new LayoutKeeper(state, key, () => readLayout(this));
    this.repl = new ReplModel(new ReplApi(rest, key), ms => new Promise(done => setTimeout(done, ms)));
    this._toolbar = new ReplToolbar(this, commands, trans);
    this._connect(themes);
    this._onState();
    void this.repl.start();
  }

  readonly panel: ReplPanel;
  readonly repl: ReplModel;
  readonly sync = new SyncModel();
  readonly tree: Tree;
  readonly documents: Documents;
  readonly files: FileActions;
  readonly runs: RunControl;
  readonly terminals: Terminals;

  get key(): string {
    return this._options.key;
  }

  /** Whether it is another user's: it can be seen, stopped and deleted. */
  get isVisit(): boolean {
    return splitKey(this.key).owner !== '';
  }

  language = '';

  /** Something has changed that the status bar or a command depends on. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Open a shell in `folder`, or else in the current folder of the shell that was used last. */
  newTerminal(folder?: string): Promise<void> {
    this.panel.content.bring('side');
    return this.terminals.open(folder);
  }

  /** Stop the REPL, or start it if it is off. */
  togglePower(): void {
    const isOff = ['stopped', 'failed'].includes(this.repl.state.kind);
    void (isOff ? this.repl.start() : this.save().then(() => this.repl.stop()));
  }

  save(): Promise<void> {
    return this.documents.texts.save();
  }

  /** Open a file at a location that a program printed. */
  openLocation({ path, line, column }: ILocation): void {
    this.panel.content.bring('editors');
    this.documents.open(path, { place: { line, column }, renderer: 'text' });
  }

  /** Bring a pane to the front and give it the keyboard focus. */
  focus(pane: Pane | 'console'): void {
    this.panel.content.bring(pane === 'console' ? 'side' : pane);
    if (pane === 'tree') {
      this.tree.activate();
    } else if (pane === 'editors') {
      this.documents.focus();
    } else if (pane === 'console') {
      this._showConsole();
      this.runs.console.activate();
    } else {
      this.terminals.active?.activate();
    }
  }

  updateSettings(settings: ISettings): void {
    this.documents.updateSettings(settings);
    this.terminals.updateSettings(settings);
    void this.runs.console.terminal.updateSettings(settings);
  }

  private _connect(themes: IThemeManager | null): void {
    const { commands, trans } = this._options;
    const { panel, repl, tree, documents } = this;
    tree.chosen.connect((_, { path, stay }) => {
      panel.content.bring('editors');
      documents.open(path, { focus: !stay });
    });
    repl.connected.connect((_, connection) => void this._onConnected(connection as Channel));
    repl.stateChanged.connect(() => this._onState());
    documents.changed.connect(() => this._onState());
    this.runs.runs.changed.connect(() => this._onState());
    this.sync.changed.connect(() => this._onState());
    followSync(this.sync, panel.syncBanner, trans);
    followUsage(this.repl, panel.node, trans);
    followVisits(this.repl, panel.syncBanner, this._options);
    const banner = new PhaseBanner(panel.banner, repl, trans);
    const saveLayout = this._layout.saveSoon.bind(this._layout);
    panel.content.moved.connect(saveLayout);
    panel.editors.layoutModified.connect(saveLayout);
    panel.side.layoutModified.connect(saveLayout);
    documents.changed.connect(saveLayout);
    documents.moved.connect(saveLayout);
    this._treeModel.changed.connect(saveLayout);
    const stops = [
      routeKeys(panel.node, commands),
      followTabMenus(this, trans),
      followLeaving(documents.texts)
    ];
    panel.disposed.connect(() => {
      banner.dispose();
      stops.forEach(stop => stop());
      this._dispose();
    });
    themes?.themeChanged.connect(this._onTheme, this);
  }

  private get _channel(): Channel | null {
    return this.repl.connection as Channel | null;
  }

  private _showConsole(): void {
    this.panel.content.bring('side');
    this.panel.side.selectWidget(this.runs.console);
  }

  private async _onConnected(channel: Channel): Promise<void> {
    channel.event.connect((_, message) => this._onEvent(message));
    void channel.closed.then(() => this._onDisconnected());
    const { language, main, rootContent, rootTotal, synced } = channel.loaded;
    this.language = language;
    this.sync.apply(synced);
    this._onState();
    if (this._isRestored) {
      this.documents.texts.reconnected(); // text that was typed meanwhile is saved first
    }
    // The prompt comes before the editor: the first Monaco editor blocks the page, and all drawing, for 200 ms.
    await Promise.all([this.terminals.connected(channel), this.runs.connected(channel)]);
    this._onState();
    const root = { content: rootContent, total: rootTotal };
    if (this._isRestored) {
      void this._treeModel.load(root);
    } else {
      this._isRestored = true;
      await this._restore(main, root);
    }
  }

  private async _restore(main: string, root: IPage): Promise<void> {
    const layout = await this._layout.load();
    void this._treeModel.load(root, layout?.expanded ?? []);
    if (layout) {
      restoreLayout(this, layout);
    } else if (main) {
      this.documents.open(main, { focus: this.panel.isVisible });
    }
    this.documents.openDrafts(this._drafts.paths());
  }

  private _onDisconnected(): void {
    this.terminals.disconnected();
    this.runs.console.terminal.detach();
  }

  private _onEvent({ event, data }: IMessage): void {
    if (event === 'changed') {
      void this._treeModel.apply(data as IChanged);
      this.documents.apply(data as IChanged);
    } else if (event === 'synced') {
      this.sync.apply(data as unknown as ISynced);
    } else if (event === 'runStarted' || event === 'runExit') {
      this.runs.runs.put(data as unknown as IRun);
    }
  }

  private _onState(): void {
    const { active, texts } = this.documents;
    const { dirty } = texts;
    this.panel.node.dataset.state = this.repl.state.kind;
    this.panel.node.dataset.saved = String(dirty.size === 0);
    this.tree.mark({ active, dirty, waiting: this.sync.waiting(texts.saved) });
    this._toolbar.update();
    this._changed.emit();
  }

  private _onTheme(): void {
    this._loadedMonaco?.applyTheme();
    this._loadedMonaco?.overflowNode();
    this.terminals.updateTheme();
    void this.runs.console.terminal.updateTheme();
  }

  private _dispose(): void {
    this._options.themes?.themeChanged.disconnect(this._onTheme, this);
    this._layout.dispose();
    this.documents.dispose();
    this.repl.dispose();
    Signal.clearData(this);
  }

  private readonly _xterm = onceOrAgain(loadXterm);
  /** Loaded with the first editor, which comes after the prompt. */
  private readonly _monaco = onceOrAgain(async () => {
    const loaded = (this._loadedMonaco = await loadMonaco());
    loaded.applyTheme();
    return loaded;
  });
  private _loadedMonaco: Awaited<ReturnType<typeof loadMonaco>> | null = null;
  private readonly _drafts: Drafts;
  private readonly _treeModel: TreeModel;
  private readonly _layout: LayoutKeeper;
  private readonly _toolbar: ReplToolbar;
  private readonly _changed = new Signal<this, void>(this);
  private _isRestored = false;
}
