/** A view of one file in Monaco, with a line for its conflicts. Several views may show one document. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { BoxLayout, Widget } from '@lumino/widgets';
import type * as monacoTypes from 'monaco-editor/editor';
import type { FileModel } from '../model/file';
import { ReplError } from '../model/messages';
import { nameOf } from '../model/paths';
import type { ISettings } from '../model/settings';
import type { Monaco, TextDocument } from '../monaco/textDocument';
import { Banner } from './banner';
import { FileBanner } from './fileBanner';
import { makeRefused } from './refused';
import { fontOf } from '../theme/fonts';

type ICodeEditor = monacoTypes.editor.IStandaloneCodeEditor;

/** The position of cursor and scroll bar in a file. Lines and columns count from 1, `top` is in pixels. */
export interface IPlace {
  line: number;
  column: number;
  top?: number;
}

/** What the status bar shows about a text. */
export interface IDetails {
  language: string;
  encoding: string;
  tabSize: number;
  insertSpaces: boolean;
  crlf: boolean;
}

export interface IEditorOptions {
  document: TextDocument;
  settings: ISettings;
  icon: LabIcon;
  /** Where the cursor starts; null: at the end. */
  place: IPlace | null;
  /** Returns the encoding that a file was read with. */
  encoding(path: string): string;
  /** Returns the address for downloading a file that is not text. */
  downloadUrl(path: string): string;
  /** Show the text on disk and the editor's text side by side. */
  compare(file: FileModel): void;
  /** Called when the person closes the editor's tab. */
  close(editor: Editor): void;
  /** The person may not change the file. */
  readOnly: boolean;
  trans: TranslationBundle;
}

export class Editor extends Widget {
  constructor(private readonly _options: IEditorOptions) {
    super();
    const { document, icon, trans, compare, place } = _options;
    this._place = place;
    this.addClass('jp-Repl-editor');
    this.title.label = nameOf(this.file.path);
    this.title.caption = this.file.path;
    this.title.closable = true;
    this.title.icon = icon;
    this.node.dataset.path = this.file.path;
    this._host.addClass('jp-Repl-editorHost');
    // keys belong to Monaco; the tab takes our shortcuts before they arrive here
    this._host.node.dataset.lmSuppressShortcuts = 'true';
    const banner = new Banner();
    this._banner = new FileBanner(banner, document.file, () => this._editor?.focus(), compare, trans);
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    layout.addWidget(banner);
    layout.addWidget(this._host);
    BoxLayout.setStretch(this._host, 1);
    this.layout = layout;
    document.file.stateChanged.connect(this._onState, this);
    document.file.sent.progressed.connect(this._onProgress, this);
    this.node.addEventListener('focusin', () => this._shown.emit());
  }

  get file(): FileModel {
    return this._options.document.file;
  }

  /** The editor has come to the front, or got the focus. */
  get shown(): ISignal<this, void> {
    return this._shown;
  }

  /** The cursor or the scroll position has moved. */
  get moved(): ISignal<this, void> {
    return this._moved;
  }

  /** The current place. Before the text is shown: the place to start at, or null. */
  get place(): IPlace | null {
    const position = this._editor?.getPosition();
    return position
      ? { line: position.lineNumber, column: position.column, top: this._editor!.getScrollTop() }
      : this._place;
  }

  /** What the status bar shows about it; null until the text is shown. */
  get details(): IDetails | null {
    const model = this._editor?.getModel();
    return model
      ? {
          language: model.getLanguageId(),
          encoding: this._options.encoding(this.file.path),
          tabSize: model.getOptions().tabSize,
          insertSpaces: model.getOptions().insertSpaces,
          crlf: model.getEOL() === '\r\n'
        }
      : null;
  }

  /** Go to a line and show it. */
  goTo(place: IPlace): void {
    if (!this._editor) {
      this._place = place;
      return;
    }
    this._editor.setPosition({ lineNumber: place.line, column: place.column });
    if (place.top === undefined) {
      this._editor.revealLineInCenterIfOutsideViewport(place.line);
    } else {
      this._editor.setScrollTop(place.top);
    }
  }

  /** Follow the person's settings. */
  set settings(settings: ISettings) {
    this._editor?.updateOptions(optionsOf(settings));
    this._editor?.getModel()?.updateOptions(indentOf(settings));
  }

  /** Run one of Monaco's own actions. */
  run(action: string): void {
    void this._editor?.getAction(action)?.run();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._banner.dispose();
    this._editor?.dispose();
    super.dispose();
  }

  protected override onActivateRequest(_: Message): void {
    this._wantsFocus = true;
    this._editor?.focus();
  }

  protected override onCloseRequest(_: Message): void {
    this._options.close(this);
  }

  protected override onAfterAttach(_: Message): void {
    if (this.isVisible) {
      void this._open();
    }
  }

  protected override onAfterShow(_: Message): void {
    void this._open();
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

  /** Make the editor when it is shown for the first time. */
  private async _open(): Promise<void> {
    if (this._isOpening) {
      return;
    }
    this._isOpening = true;
    this._host.node.dataset.opening = this._options.trans.__('Opening %1…', this.title.label);
    const { document } = this._options;
    try {
      const model = await document.open();
      const monaco = await document.monaco();
      if (!this.isDisposed) {
        this._create(monaco, model);
      }
    } catch (reason) {
      if (!this.isDisposed) {
        this._refuse(ReplError.from(reason));
      }
    }
  }

  private _create({ monaco, overflowNode }: Monaco, model: monacoTypes.editor.ITextModel): void {
    const { settings, readOnly } = this._options;
    const editor: ICodeEditor = (this._editor = monaco.editor.create(this._host.node, {
      ...optionsOf(settings),
      model,
      readOnly,
      automaticLayout: false,
      contextmenu: false,
      dropIntoEditor: { enabled: false }, // a tree row that is dropped here must not be inserted
      fixedOverflowWidgets: true,
      overflowWidgetsDomNode: overflowNode(),
      scrollBeyondLastLine: false,
      theme: 'jupyterlab',
      ariaLabel: this.file.path
    }));
    if (!/^[ \t]/m.test(model.getValueLength() < 1e5 ? model.getValue() : '\t')) {
      model.updateOptions(indentOf(settings)); // the file has no indentation of its own
    }
    if (this._place) {
      this.goTo(this._place);
    } else {
      editor.setPosition(model.getFullModelRange().getEndPosition());
    }
    editor.onDidChangeCursorPosition(() => this._moved.emit());
    editor.onDidScrollChange(() => this._moved.emit());
    model.onDidChangeOptions(() => this._moved.emit());
    this._banner.opened(text => {
      editor.executeEdits('draft', [{ range: editor.getSelection()!, text }]);
    });
    // if the person went to a terminal while this was loading, the focus stays there
    if (this._wantsFocus && !window.document.activeElement?.closest('.jp-Repl-terminal')) {
      editor.focus();
    }
    delete this._host.node.dataset.opening;
    this.node.dataset.ready = 'true';
    this._moved.emit();
  }

  private _onState(): void {
    const { state } = this.file;
    this.node.dataset.state = state;
    this.title.className =
      { saved: '', saving: '', deleted: 'jp-mod-deleted' }[state as 'saved'] ?? 'jp-mod-dirty';
  }

  private _onProgress(): void {
    const share = this.file.sent.progress ?? 1;
    this.node.style.setProperty('--jp-repl-progress', String(share));
    this.node.classList.toggle('jp-mod-sending', share < 1);
  }

  /** Show why the file can't be edited. The file is not changed. */
  private _refuse(error: ReplError): void {
    const { trans, downloadUrl } = this._options;
    const box = makeRefused(error, this.title.label, downloadUrl(this.file.path), trans, () => {
      box.remove();
      this._isOpening = false;
      void this._open();
    });
    delete this._host.node.dataset.opening;
    this._host.node.replaceChildren(box);
    this.node.dataset.ready = 'refused';
  }

  private readonly _host = new Widget();
  private readonly _banner: FileBanner;
  private readonly _shown = new Signal<this, void>(this);
  private readonly _moved = new Signal<this, void>(this);
  private _editor: ICodeEditor | null = null;
  private _isOpening = false;
  private _wantsFocus = false;
  /** Where the cursor starts. */
  private _place: IPlace | null;
}

function optionsOf(settings: ISettings): monacoTypes.editor.IEditorOptions {
  return {
    ...fontOf(settings),
    lineNumbers: settings.lineNumbers ? 'on' : 'off',
    minimap: { enabled: settings.minimap },
    wordWrap: settings.wordWrap ? 'on' : 'off'
  };
}

function indentOf({ tabSize, insertSpaces }: ISettings): monacoTypes.editor.ITextModelUpdateOptions {
  return { tabSize, indentSize: tabSize, insertSpaces };
}
