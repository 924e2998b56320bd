/** One REPL's tab, wired: its state machine, files, terminals and panes. It owns them all until the tab is closed. */

import type { IThemeManager } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Channel } from '../api/channel';
import { Files } from '../api/files';
import { ReplApi } from '../api/repl';
import type { Rest } from '../api/rest';
import { Drafts } from '../model/drafts';
import { FileModel } from '../model/file';
import { IChanged, IMessage, IRun, ReplError } from '../model/messages';
import { IConnection, ReplModel } from '../model/repl';
import { TreeModel } from '../model/tree';
import { followRepl } from '../widgets/banner';
import { Editor } from '../widgets/editor';
import { ReplPanel } from '../widgets/replPanel';
import { RunConsole } from '../widgets/runConsole';
import { describeFiles, describeRepl } from '../widgets/status';
import { Terminal } from '../widgets/terminal';
import { Tree } from '../widgets/tree';
import { ILayout, LayoutKeeper } from './layout';
import { loadMonaco, loadXterm } from './lazy';
import { Terminals } from './terminals';

export interface IWorkspaceOptions {
  replId: string;
  rest: Rest;
  state: IStateDB | null;
  themes: IThemeManager | null;
  trans: TranslationBundle;
}

export class Workspace {
  constructor(private readonly _options: IWorkspaceOptions) {
    const { replId, rest, state, trans, themes } = _options;
    this._scope = `${new URL(rest.settings.baseUrl).pathname}${replId}`.replace(/^\/+/, '');
    this._files = new Files(rest, replId, () => this._channel);
    this._drafts = new Drafts(window.localStorage, this._scope);
    this._treeModel = new TreeModel(path => this._files.list(path));
    const tree = (this._tree = new Tree(this._treeModel, trans));
    this.panel = new ReplPanel(replId, tree, this, trans);
    this._layout = new LayoutKeeper(state, replId, () => this._currentLayout);
    this._terminals = new Terminals(this.panel, this._xterm, this, () => this._channel, trans);
    this.repl = new ReplModel(new ReplApi(rest, replId), ms => new Promise(done => setTimeout(done, ms)));
    this._console = new RunConsole(new Terminal(this._xterm, this, trans), trans);
    this.panel.addConsole(this._console);

    tree.chosen.connect((_, path) => void this.openFile(path, true));
    this.repl.connected.connect((_, connection) => void this._onConnected(connection));
    this.repl.stateChanged.connect(() => this._onState());
    followRepl(this.panel.banner, this.repl, trans);
    this.panel.content.handleMoved.connect(this._onHandleMoved, this);
    this.panel.editors.layoutModified.connect(this._layout.saveSoon, this._layout);
    this._treeModel.changed.connect(this._layout.saveSoon, this._layout);
    this.panel.disposed.connect(() => this._dispose());
    themes?.themeChanged.connect(this._onTheme, this);
    window.addEventListener('pagehide', this._onPageHide);
    this._onState();
    void this.repl.start();
  }

  readonly panel: ReplPanel;
  readonly repl: ReplModel;

  /** Save what is typed and run the project's command. */
  async run(): Promise<void> {
    const channel = this._channel;
    if (!channel || this._console.isRunning) {
      return;
    }
    this.panel.side.selectWidget(this._console);
    try {
      await this.save();
      const run = await channel.request<IRun>('run', this._console.terminal.size);
      await this._console.showRun(channel, run);
      this._console.activate();
    } catch (reason) {
      this._console.refused(ReplError.from(reason).text);
    }
    this._onState();
  }

  stopRun(): void {
    if (this._console.run && this._console.isRunning) {
      this._channel?.request('stopRun', { run: this._console.run.run }).catch(() => undefined);
    }
  }

  newTerminal(): Promise<void> {
    return this._terminals.open();
  }

  /** Stop the REPL, or start it if it is off. */
  togglePower(): void {
    const isOff = ['stopped', 'failed'].includes(this.repl.state.kind);
    void (isOff ? this.repl.start() : this.save().then(() => this.repl.stop()));
  }

  /** Save every open file now. */
  async save(): Promise<void> {
    await Promise.all([...this._editors.values()].map(editor => editor.file.save()));
  }

  async beforeClose(): Promise<void> {
    this._editors.forEach(editor => editor.file.keepDraft(false));
    await this.save();
  }

  /** Show a file, in the editor that it has if it has one. */
  async openFile(path: string, focus: boolean): Promise<Editor> {
    const editor = this._editors.get(path) ?? this._addEditor(path);
    this.panel.editors.selectWidget(editor);
    this._onShown(path);
    if (focus) {
      editor.activate();
    }
    await editor.ready;
    return editor;
  }

  downloadUrl(path: string): string {
    return this._options.rest.fileUrl(this._options.replId, path);
  }

  private _onShown(path: string): void {
    this._active = path;
    this._tree.setActive(path);
    this._layout.saveSoon();
  }

  /** Loaded with the first editor, which comes after the prompt. */
  private get _monaco(): ReturnType<typeof loadMonaco> {
    return (this._loadedMonaco ??= loadMonaco().then(loaded => {
      loaded.applyTheme();
      return loaded;
    }));
  }

  private _addEditor(path: string): Editor {
    const file = new FileModel(path, this._files, this._drafts, (call, ms) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    });
    const editor = new Editor(file, this._scope, this._monaco, this, this._options.trans);
    file.stateChanged.connect(() => this._onState());
    editor.shown.connect(() => this._onShown(path));
    editor.disposed.connect(() => {
      this._editors.delete(path);
      this._layout.saveSoon();
    });
    this._editors.set(path, editor);
    this.panel.addEditor(editor);
    return editor;
  }

  private get _channel(): Channel | null {
    return this.repl.connection as Channel | null;
  }

  private async _onConnected(connection: IConnection): Promise<void> {
    const channel = connection as Channel;
    channel.event.connect((_, message) => this._onEvent(channel, message));
    void channel.closed.then(() => this._onDisconnected());
    const { loaded } = channel;
    this._language = loaded.language;
    this._onState();
    const whole = loaded.rootContent.length === loaded.rootTotal;
    // The prompt first: Monaco's first editor keeps the page busy for 200 ms, in which nothing else is drawn.
    await Promise.all([this._terminals.connected(channel), this._showRun(channel)]);
    this._onState();
    if (this._isRestored) {
      void this._treeModel.load(whole ? loaded.rootContent : null);
      this._editors.forEach(editor => void editor.file.reconnected().catch(() => undefined));
    } else {
      this._isRestored = true;
      await this._restore(loaded.main, whole ? loaded.rootContent : null);
    }
  }

  /** The last run gets its console again. */
  private async _showRun(channel: Channel): Promise<void> {
    const last = channel.loaded.runs.at(-1);
    if (last) {
      await this._console.showRun(channel, last).catch(() => undefined);
    } else {
      this._console.lost();
    }
  }

  private async _restore(main: string, root: IConnection['loaded']['rootContent'] | null): Promise<void> {
    const layout = await this._layout.load();
    if (layout) {
      this._columns = layout.columns;
      this.panel.columns = layout.columns;
    }
    void this._treeModel.load(root, layout?.expanded ?? []);
    const paths = layout?.editors.length ? layout.editors : main ? [main] : [];
    const active = layout?.active || paths.at(-1);
    for (const path of new Set([...paths, ...this._drafts.paths()])) {
      void this.openFile(path, false);
    }
    if (active) {
      await this.openFile(active, this.panel.isVisible && !layout);
    }
  }

  private _onDisconnected(): void {
    this._terminals.disconnected();
    this._console.terminal.detach();
  }

  private _onEvent(channel: Channel, { event, data }: IMessage): void {
    if (event === 'changed') {
      const change = data as IChanged;
      void this._treeModel.apply(change);
      for (const [path, editor] of this._editors) {
        const etag = change.all ? '' : change.files?.find(file => file.path === path)?.etag;
        if (etag !== undefined) {
          editor.file.changedOnDisk(etag).catch(() => undefined);
        }
      }
    } else if (event === 'runStarted') {
      void this._console.showRun(channel, data as unknown as IRun).catch(() => undefined);
      this._onState();
    } else if (event === 'runExit') {
      this._console.ended(data as unknown as IRun);
      this._onState();
    }
  }

  private _onState(): void {
    const { trans, replId } = this._options;
    const { kind } = this.repl.state;
    const states = [...this._editors.values()].map(editor => editor.file.state);
    const words = [replId, this._language, describeRepl(kind, trans), describeFiles(states, trans)];
    const status = words.filter(Boolean).join(' · ');
    this.panel.setStatus(status, kind === 'running', this._console.isRunning);
    this.panel.node.dataset.state = kind;
    this.panel.node.dataset.saved = String(states.every(state => state === 'saved'));
  }

  private _onTheme(): void {
    void this._loadedMonaco?.then(({ applyTheme, overflowNode }) => {
      applyTheme();
      overflowNode();
    });
    this._terminals.updateTheme();
    void this._console.terminal.updateTheme();
  }

  private readonly _onPageHide = (): void => {
    this._editors.forEach(editor => editor.file.keepDraft(true));
  };

  /** Widths are kept once somebody has set them; what the window made of them meanwhile is not. */
  private _onHandleMoved(): void {
    this._columns = this.panel.columns;
    this._layout.saveSoon();
  }

  private get _currentLayout(): ILayout {
    return {
      columns: this._columns,
      editors: [...this._editors.keys()],
      active: this._active,
      expanded: this._treeModel.expanded
    };
  }

  private _dispose(): void {
    window.removeEventListener('pagehide', this._onPageHide);
    this._options.themes?.themeChanged.disconnect(this._onTheme, this);
    this._layout.dispose();
    this.repl.dispose();
  }

  private readonly _xterm = loadXterm();
  private _loadedMonaco: ReturnType<typeof loadMonaco> | null = null;
  private readonly _scope: string;
  private readonly _files: Files;
  private readonly _drafts: Drafts;
  private readonly _treeModel: TreeModel;
  private readonly _tree: Tree;
  private readonly _console: RunConsole;
  private readonly _editors = new Map<string, Editor>();
  private readonly _terminals: Terminals;
  private readonly _layout: LayoutKeeper;
  private _isRestored = false;
  private _language = '';
  private _active = '';
  private _columns: number[] = [];
}
