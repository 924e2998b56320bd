/**
 * The text of one open file, shared by all of its views: a FileModel and a Monaco model. Each file has its own models,
 * so undo and selections never cross files.
 */

import type * as monacoTypes from 'monaco-editor/editor';
import { makeChange } from '../model/drafts';
import type { FileModel } from '../model/file';
import { onceOrAgain } from '../model/once';
import type { Check } from './settingsFile';

export type Monaco = typeof import('./load');
type ITextModel = monacoTypes.editor.ITextModel;

export class TextDocument {
  /**
   * @param scope - keeps the models of different REPLs apart
   * @param check - checks the text if it is the project's settings file
   */
  constructor(
    readonly file: FileModel,
    readonly monaco: () => Promise<Monaco>,
    private readonly _scope: string,
    private readonly _check: Check
  ) {
    this.open = onceOrAgain(() => this._open());
    this.open().catch(() => undefined); // each view shows the error
  }

  /** Resolves to the Monaco model once the file is read. Rejects with a ReplError; the next call tries again. */
  readonly open: () => Promise<ITextModel>;

  dispose(): void {
    this._isDisposed = true;
    this.file.dispose();
    this._model?.dispose();
    this._model = null;
  }

  private async _open(): Promise<ITextModel> {
    const [{ monaco, checkSettings, SETTINGS_FILE }, text] = await Promise.all([
      this.monaco(),
      this.file.load()
    ]);
    const uri = monaco.Uri.from({ scheme: 'file', path: `/${this._scope}/${this.file.path}` });
    monaco.editor.getModel(uri)?.dispose(); // left by a tab that was closed while it opened the file
    const model = monaco.editor.createModel(text, undefined, uri);
    if (this._isDisposed) {
      model.dispose();
      return model;
    }
    this._model = model;
    this.file.bind({
      // the byte order mark belongs to the file, and stays
      getText: () => model.getValue(undefined, true),
      setText: text => replaceText(model, text),
      get version() {
        return model.getAlternativeVersionId();
      },
      get length() {
        return model.getValueLength(undefined, true);
      }
    });
    model.onDidChangeContent(() => this.file.edited());
    if (this.file.path === SETTINGS_FILE) {
      checkSettings(model, this._check);
    }
    return model;
  }

  private _model: ITextModel | null = null;
  private _isDisposed = false;
}

/** Replace only the part that differs, as one edit: cursors keep their place in every view, and undo reverts it. */
function replaceText(model: ITextModel, text: string): void {
  const isCrlf = /\r\n/.test(text);
  if (isCrlf !== (model.getEOL() === '\r\n')) {
    model.pushEOL(isCrlf ? 1 : 0);
  }
  const { start, removed, inserted } = makeChange(model.getValue(), text.replace(/^\ufeff/, ''));
  const [from, to] = [model.getPositionAt(start), model.getPositionAt(start + removed)];
  const range = {
    startLineNumber: from.lineNumber,
    startColumn: from.column,
    endLineNumber: to.lineNumber,
    endColumn: to.column
  };
  model.pushStackElement();
  model.pushEditOperations([], [{ range, text: inserted }], () => null);
  model.pushStackElement();
}
