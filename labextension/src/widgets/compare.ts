/** Shows a file's text on disk and the editor's text side by side. The editor's text can be edited there. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type * as monacoTypes from 'monaco-editor/editor';
import { ReplError } from '../model/messages';
import { nameOf } from '../model/paths';
import type { TextDocument } from '../monaco/textDocument';

export class Compare extends Widget {
  /** @param _readTheirs - reads the disk's text; rejects with a ReplError */
  constructor(
    private readonly _document: TextDocument,
    private readonly _readTheirs: () => Promise<string>,
    trans: TranslationBundle
  ) {
    super();
    const { file } = _document;
    this.addClass('jp-Repl-compare');
    this.title.label = trans.__('%1: disk ↔ yours', nameOf(file.path));
    this.title.caption = trans.__('Left: %1 on disk. Right: your text.', file.path);
    this.title.closable = true;
    this.node.dataset.lmSuppressShortcuts = 'true';
    file.stateChanged.connect(this._onState, this);
    void this._open();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._document.file.stateChanged.disconnect(this._onState, this);
    this._editor?.dispose();
    this._theirs?.dispose();
    super.dispose();
  }

  protected override onCloseRequest(_: Message): void {
    this.dispose();
  }

  protected override onAfterShow(_: Message): void {
    this._layoutSoon();
  }

  protected override onResize(_: Widget.ResizeMessage): void {
    this._layoutSoon();
  }

  private _layoutSoon(): void {
    requestAnimationFrame(() => this._editor?.layout());
  }

  /** Closes the comparison once the conflict is resolved. */
  private _onState(): void {
    if (this._document.file.state !== 'conflict') {
      this.dispose();
    }
  }

  private async _open(): Promise<void> {
    try {
      const [{ monaco }, model, text] = await Promise.all([
        this._document.monaco(),
        this._document.open(),
        this._readTheirs()
      ]);
      if (this.isDisposed) {
        return;
      }
      this._theirs = monaco.editor.createModel(text, model.getLanguageId());
      this._editor = monaco.editor.createDiffEditor(this.node, {
        automaticLayout: false,
        contextmenu: false,
        dropIntoEditor: { enabled: false }, // a tree row that is dropped here must not be inserted
        minimap: { enabled: false },
        originalEditable: false,
        renderSideBySide: true,
        renderSideBySideInlineBreakpoint: 640,
        theme: 'jupyterlab'
      });
      this._editor.setModel({ original: this._theirs, modified: model });
      this._layoutSoon();
      this.node.dataset.ready = 'true';
    } catch (reason) {
      this.node.textContent = ReplError.from(reason).text;
    }
  }

  private _editor: monacoTypes.editor.IStandaloneDiffEditor | null = null;
  private _theirs: monacoTypes.editor.ITextModel | null = null;
}
