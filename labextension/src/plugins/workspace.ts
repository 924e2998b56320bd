/** One REPL's tab, wired: its state machine, files, terminals and panes. It owns them all until the tab is closed. */

import type { IThemeManager } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';
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
import { Terminal } from '../widgets/terminal';
import { Tree } from '../widgets/tree';

export interface IWorkspaceOptions {
  replId: string;
  rest: Rest;
  state: IStateDB | null;
  themes: IThemeManager | null;
  trans: TranslationBundle;
}

/** What is restored after a reload. */
interface ILayout {
  columns: number[];
  editors: string[];
  active: string;
  expanded: string[];
}

const SAVE_LAYOUT_DELAY = 200;

const loadMonaco = (): Promise<typeof import('../monaco/load')> => import('../monaco/load');
const loadXterm = (): Promise<typeof import('../xterm/load')> => import('../xterm/load');

/** Load what a tab needs, so that the next one opens at once. */
export async function preload(): Promise<void> {
  await Promise.all([loadMonaco(), loadXterm()]);
}

export class Workspace {
  constructor(private readonly _options: IWorkspaceOptions) {
    const { replId, rest, trans, themes } = _options;
    this._scope = `${new URL(rest.settings.baseUrl).pathname}${replId}`.replace(/^\/+/, '');
    this._files = new Files(rest, replId, () => this._channel);
    this._drafts = new Drafts(window.localStorage, this._scope);
    this._treeModel = new TreeModel(path => this._files.list(path));
    const tree = (this._tree = new Tree(this._treeModel, trans));
    this.panel = new ReplPanel(replId, tree, this, trans);
    this.repl = new ReplModel(new ReplApi(rest, replId), ms => new Promise(done => setTimeout(done, ms)));
    this._console = new RunConsole(new Terminal(this._xterm, this, trans), trans);
    this.panel.addConsole(this._console);

    tree.chosen.connect((_, path) => void this.openFile(path, true));
    this.repl.connected.connect((_, connection) => void this._onConnected(connection));
    this.repl.stateChanged.connect(() => this._onState());
    followRepl(this.panel.banner, this.repl, trans);
    this.panel.content.handleMoved.connect(this._onHandleMoved, this);
    this.panel.editors.layoutModified.connect(this._saveLayoutSoon, this);
    this._treeModel.changed.connect(this._saveLayoutSoon, this);
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

  async newTerminal(): Promise<void> {
    const terminal = this._addTerminal();
    if (this._channel) {
      await this._attach(terminal, this._channel, 0);
      terminal.activate();
    }
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
    this._tree.setActive(path);
    this._active = path;
    if (focus) {
      editor.activate();
    }
    this._saveLayoutSoon();
    await editor.ready;
    return editor;
  }

  downloadUrl(path: string): string {
    return this._options.rest.fileUrl(this._options.replId, path);
  }

  private _addEditor(path: string): Editor {
    const file = new FileModel(path, this._files, this._drafts, (call, ms) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    });
    const editor = new Editor(file, this._scope, this._monaco, this, this._options.trans);
    file.stateChanged.connect(() => this._onState());
    editor.disposed.connect(() => {
      this._editors.delete(path);
      this._saveLayoutSoon();
    });
    this._editors.set(path, editor);
    this.panel.addEditor(editor);
    return editor;
  }

  private _addTerminal(): Terminal {
    const { trans } = this._options;
    const terminal = new Terminal(this._xterm, this, trans);
    terminal.title.label = trans.__('Terminal %1', ++this._terminalCount);
    terminal.title.closable = true;
    terminal.ended.connect((_, { code, signal }) => {
      const how = signal ?? trans.__('code %1', code);
      void terminal.say(trans.__('[The shell has ended: %1. Press Enter for a new one.]', how));
    });
    terminal.restartWanted.connect(() => {
      if (this._channel) {
        void this._attach(terminal, this._channel, 0);
      }
    });
    terminal.disposed.connect(() => this._terminals.delete(terminal));
    this.panel.addTerminal(terminal, this._terminals);
    this._terminals.add(terminal);
    return terminal;
  }

  private async _attach(terminal: Terminal, channel: Channel, number: number): Promise<void> {
    try {
      await terminal.attach(channel, number);
    } catch (reason) {
      await terminal.say(ReplError.from(reason).text);
    }
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
    await this._showTerminals(channel);
    if (this._isRestored) {
      void this._treeModel.load(whole ? loaded.rootContent : null);
      this._editors.forEach(editor => void editor.file.reconnected().catch(() => undefined));
    } else {
      this._isRestored = true;
      await this._restore(loaded.main, whole ? loaded.rootContent : null);
    }
  }

  /** Every live terminal of the runner gets its view again; there is always one. */
  private async _showTerminals(channel: Channel): Promise<void> {
    const { runs, terminals } = channel.loaded;
    const ofRuns = new Set(runs.map(run => run.terminal));
    const alive = terminals.map(({ terminal }) => terminal).filter(number => !ofRuns.has(number));
    const views = [...this._terminals];
    const isSame = this._runner === channel.loaded.runner;
    this._runner = channel.loaded.runner;
    const shown = new Set<number>();
    for (const view of views) {
      const number = isSame && alive.includes(view.number) ? view.number : 0;
      shown.add(number);
      if (number || !(isSame && view.hasEnded)) {
        void this._attach(view, channel, number);
      }
    }
    const rest = alive.filter(number => !shown.has(number));
    const wanted = views.length || rest.length ? rest : [0];
    const last = runs.at(-1);
    await Promise.all([
      ...wanted.map(number => this._attach(this._addTerminal(), channel, number)),
      last ? this._console.showRun(channel, last).catch(() => undefined) : null
    ]);
    if (!last) {
      this._console.lost();
    }
    this._onState();
  }

  private async _restore(main: string, root: IConnection['loaded']['rootContent'] | null): Promise<void> {
    const layout = await this._loadLayout();
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
    this._restored.resolve();
    if (active) {
      await this.openFile(active, this.panel.isVisible && !layout);
    }
  }

  private _onDisconnected(): void {
    this._terminals.forEach(terminal => terminal.detach());
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
    const words = {
      starting: trans.__('starting'),
      running: trans.__('running'),
      lost: trans.__('not connected'),
      stopping: trans.__('stopping'),
      stopped: trans.__('stopped'),
      failed: trans.__('failed')
    };
    const states = [...this._editors.values()].map(editor => editor.file.state);
    const saved = states.every(state => state === 'saved') ? trans.__('saved') : trans.__('saving…');
    const mark = states.some(state => state === 'failed' || state === 'conflict')
      ? trans.__('not saved')
      : saved;
    const status = [replId, this._language, words[kind], mark].filter(Boolean).join(' · ');
    this.panel.setStatus(status, kind === 'running', this._console.isRunning);
    this.panel.node.dataset.state = kind;
    this.panel.node.dataset.saved = String(states.every(state => state === 'saved'));
  }

  private _onTheme(): void {
    void this._monaco.then(({ applyTheme, overflowNode }) => {
      applyTheme();
      overflowNode();
    });
    [...this._terminals, this._console.terminal].forEach(terminal => void terminal.updateTheme());
  }

  private readonly _onPageHide = (): void => {
    this._editors.forEach(editor => editor.file.keepDraft(true));
  };

  /** Not in the namespace of the widget tracker, which removes what is not its own when it restores. */
  private get _layoutKey(): string {
    return `jupyter-repl-layout:${this._options.replId}`;
  }

  private async _loadLayout(): Promise<ILayout | null> {
    const layout = await this._options.state?.fetch(this._layoutKey).catch(() => undefined);
    return (layout as unknown as ILayout) ?? null;
  }

  /** Widths are kept once somebody has set them; what the window made of them meanwhile is not. */
  private _onHandleMoved(): void {
    this._columns = this.panel.columns;
    this._saveLayoutSoon();
  }

  private _saveLayoutSoon(): void {
    if (this._isRestored && !this.panel.isDisposed) {
      this._layoutSaver.invoke().catch(() => undefined);
    }
  }

  private async _saveLayout(): Promise<void> {
    await this._restored.promise;
    const layout: ILayout = {
      columns: this._columns,
      editors: [...this._editors.keys()],
      active: this._active,
      expanded: this._treeModel.expanded
    };
    await this._options.state?.save(this._layoutKey, { ...layout });
  }

  private _dispose(): void {
    window.removeEventListener('pagehide', this._onPageHide);
    this._options.themes?.themeChanged.disconnect(this._onTheme, this);
    this._layoutSaver.dispose();
    this.repl.dispose();
  }

  private readonly _monaco = loadMonaco().then(loaded => {
    loaded.applyTheme();
    return loaded;
  });
  private readonly _xterm = loadXterm();
  private readonly _scope: string;
  private readonly _files: Files;
  private readonly _drafts: Drafts;
  private readonly _treeModel: TreeModel;
  private readonly _tree: Tree;
  private readonly _console: RunConsole;
  private readonly _editors = new Map<string, Editor>();
  private readonly _terminals = new Set<Terminal>();
  private readonly _restored = new PromiseDelegate<void>();
  private readonly _layoutSaver = new Debouncer(() => this._saveLayout(), SAVE_LAYOUT_DELAY);
  private _terminalCount = 0;
  private _isRestored = false;
  private _language = '';
  private _active = '';
  private _columns: number[] = [];
  private _runner = '';
}
