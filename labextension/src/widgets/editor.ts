/** One file in Monaco: a model of its own, so undo never crosses files, and a line for its conflicts. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { fileIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { BoxLayout, Widget } from '@lumino/widgets';
import type * as monacoTypes from 'monaco-editor/editor';
import { FileModel, FileState } from '../model/file';
import { ReplError } from '../model/messages';
import { Banner } from './banner';

type Monaco = typeof import('../monaco/load');

/** What the panel does for keys that are pressed in an editor. */
export interface IEditorActions {
  run(): void;
  stopRun(): void;
  newTerminal(): void;
  /** Where a file can be downloaded that is no text. */
  downloadUrl(path: string): string;
}

export class Editor extends Widget {
  /**
   * @param scope - keeps the models of different REPLs apart
   */
  constructor(
    readonly file: FileModel,
    private readonly _scope: string,
    private readonly _monaco: Promise<Monaco>,
    private readonly _actions: IEditorActions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Repl-editor');
    this.title.label = file.path.split('/').pop()!;
    this.title.caption = file.path;
    this.title.closable = true;
    this.title.icon = fileIcon;
    this.node.dataset.path = file.path;
    this._host.addClass('jp-Repl-editorHost');
    // keys belong to Monaco; ours are bound below
    this._host.node.dataset.lmSuppressShortcuts = 'true';
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    layout.addWidget(this._banner);
    layout.addWidget(this._host);
    BoxLayout.setStretch(this._host, 1);
    this.layout = layout;
    file.stateChanged.connect(this._onState, this);
    this.ready = this._open();
  }

  /** Resolves once the file is shown, or once it was said why it is not. */
  readonly ready: Promise<void>;

  /** It has come to the front. */
  get shown(): ISignal<this, void> {
    return this._shown;
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.file.dispose();
    this._editor?.dispose();
    this._model?.dispose();
    this._banner.dispose();
    Signal.clearData(this);
    super.dispose();
  }

  /** Closing the tab saves first; text that can't be saved stays as a draft. */
  protected override onCloseRequest(_: Message): void {
    this.file.keepDraft(false);
    void this.file.save().finally(() => this.dispose());
  }

  protected override onActivateRequest(_: Message): void {
    this._wantsFocus = true;
    this._editor?.focus();
  }

  protected override onAfterShow(_: Message): void {
    this._shown.emit();
    this._layoutSoon();
  }

  protected override onResize(_: Widget.ResizeMessage): void {
    this._layoutSoon();
  }

  private _layoutSoon(): void {
    // after the box layout has given the host its new size
    requestAnimationFrame(() => this._editor?.layout());
  }

  private async _open(): Promise<void> {
    try {
      const [loaded, text] = await Promise.all([this._monaco, this.file.load()]);
      if (!this.isDisposed) {
        this._create(loaded, text);
      }
    } catch (reason) {
      if (!this.isDisposed) {
        this._refuse(ReplError.from(reason));
      }
    }
  }

  private _create({ monaco, overflowNode }: Monaco, text: string): void {
    const uri = monaco.Uri.from({ scheme: 'file', path: `/${this._scope}/${this.file.path}` });
    const model = (this._model =
      monaco.editor.getModel(uri) ?? monaco.editor.createModel(text, undefined, uri));
    const editor = (this._editor = monaco.editor.create(this._host.node, {
      model,
      automaticLayout: false,
      contextmenu: false,
      fixedOverflowWidgets: true,
      fontFamily: getComputedStyle(document.body).getPropertyValue('--jp-code-font-family') || 'monospace',
      minimap: { enabled: false },
      overflowWidgetsDomNode: overflowNode(),
      scrollBeyondLastLine: false,
      theme: 'jupyterlab',
      ariaLabel: this.file.path
    }));
    this._bindKeys(monaco, editor);
    // the byte order mark is the file's: it stays where it was
    const getText = (): string => model.getValue(undefined, true);
    this.file.bind({ getText, setText: text => replaceText(editor, model, text) });
    model.onDidChangeContent(() => this.file.edited());
    editor.setPosition(model.getFullModelRange().getEndPosition());
    if (this.file.lostDraft) {
      this._tellLostDraft();
    }
    // who went to a terminal while this was loading stays there
    if (this._wantsFocus && !document.activeElement?.closest('.jp-Repl-terminal')) {
      editor.focus();
    }
    this.node.dataset.ready = 'true';
  }

  private _bindKeys(monaco: Monaco['monaco'], editor: monacoTypes.editor.IStandaloneCodeEditor): void {
    const { KeyCode, KeyMod } = monaco;
    const bind = (id: string, label: string, key: number, run: () => void): void => {
      editor.addAction({ id: `jupyter-repl.${id}`, label, keybindings: [key], run });
    };
    const { _trans: trans, _actions: actions } = this;
    bind('run', trans.__('Run'), KeyMod.CtrlCmd | KeyCode.Enter, () => actions.run());
    bind('stop', trans.__('Stop'), KeyMod.Shift | KeyCode.F5, () => actions.stopRun());
    bind('save', trans.__('Save'), KeyMod.CtrlCmd | KeyCode.KeyS, () => void this.file.save());
    const newTerminal = KeyMod.CtrlCmd | KeyMod.Shift | KeyCode.Backquote;
    bind('new-terminal', trans.__('New terminal'), newTerminal, () => actions.newTerminal());
  }

  private _onState(_: FileModel, state: FileState): void {
    this.node.dataset.state = state;
    const trans = this._trans;
    this.title.className = state === 'saved' || state === 'saving' ? '' : 'jp-mod-dirty';
    if (state === 'conflict') {
      const message = trans.__('%1 was changed on disk while you typed.', this.file.path);
      this._banner.say('warning', message, [
        { label: trans.__('Keep my text'), run: () => this._try(() => this.file.keepMine()) },
        { label: trans.__('Take the text on disk'), run: () => this._try(() => this.file.takeTheirs()) }
      ]);
    } else if (state === 'failed') {
      const reason = this.file.error?.text ?? '';
      const message = trans.__('%1 is not saved: %2', this.file.path, reason);
      this._banner.say('warning', message, [
        { label: trans.__('Save again'), run: () => this._try(() => this.file.save()) }
      ]);
    } else if (state === 'saved') {
      this._banner.silence();
    }
  }

  /** Do what a button of the banner says, and go back to typing. */
  private _try(action: () => Promise<void>): void {
    action().catch(reason => this._banner.say('error', ReplError.from(reason).text));
    this._editor?.focus();
  }

  private _tellLostDraft(): void {
    const trans = this._trans;
    const lost = this.file.lostDraft;
    const drop = { label: trans.__('Discard'), run: () => this._dropDraft() };
    const insert = {
      label: trans.__('Insert at the cursor'),
      run: () => {
        const selection = this._editor!.getSelection()!;
        this._editor!.executeEdits('draft', [{ range: selection, text: lost }]);
        this._dropDraft();
      }
    };
    const message = trans.__(
      'Text of yours was not saved before, and the file has changed since: %1',
      clip(lost)
    );
    this._banner.say('warning', message, [insert, drop]);
  }

  private _dropDraft(): void {
    this.file.dropDraft();
    this._banner.silence();
    this._editor?.focus();
  }

  /** Say why the file can't be edited; it is not touched. */
  private _refuse(error: ReplError): void {
    const trans = this._trans;
    const box = document.createElement('div');
    box.className = 'jp-Repl-refused';
    const text = document.createElement('p');
    text.textContent = error.text;
    box.append(text);
    if (error.code === 'FileTooLarge' || error.code === 'InvalidRequest') {
      const link = document.createElement('a');
      link.href = this._actions.downloadUrl(this.file.path);
      link.download = this.title.label;
      link.textContent = trans.__('Download %1', this.title.label);
      box.append(link);
    }
    this._host.node.replaceChildren(box);
    this.node.dataset.ready = 'refused';
  }

  private readonly _host = new Widget();
  private readonly _banner = new Banner();
  private readonly _shown = new Signal<this, void>(this);
  private _editor: monacoTypes.editor.IStandaloneCodeEditor | null = null;
  private _model: monacoTypes.editor.ITextModel | null = null;
  private _wantsFocus = false;
}

/** Replace a model's text as one edit, so that the cursor stays and undo goes back. */
function replaceText(
  editor: monacoTypes.editor.IStandaloneCodeEditor,
  model: monacoTypes.editor.ITextModel,
  text: string
): void {
  const view = editor.saveViewState();
  model.pushStackElement();
  model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
  model.pushStackElement();
  editor.restoreViewState(view);
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
