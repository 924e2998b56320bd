/** One open file's text, whatever shows it: a FileModel and its Monaco model, so undo and selections never cross files. */

import type * as monacoTypes from 'monaco-editor/editor';
import { makeChange } from '../model/drafts';
import type { FileModel } from '../model/file';
import type { Check } from './settingsFile';

export type Monaco = typeof import('./load');
type ITextModel = monacoTypes.editor.ITextModel;

export class TextDocument {
  /**
   * @param scope - keeps the models of different REPLs apart
   * @param check - of the project's settings
   */
  constructor(
    readonly file: FileModel,
    readonly monaco: Promise<Monaco>,
    scope: string,
    private readonly _check: Check
  ) {
    this.ready = this._open(scope);
    this.ready.catch(() => undefined); // each view says it
  }

  /** The text, once it is read; rejects with a ReplError. */
  readonly ready: Promise<ITextModel>;

  dispose(): void {
    this._isDisposed = true;
    this.file.dispose();
    this._model?.dispose();
    this._model = null;
  }

  private async _open(scope: string): Promise<ITextModel> {
    const [{ monaco, checkSettings, SETTINGS_FILE }, text] = await Promise.all([
      this.monaco,
      this.file.load()
    ]);
    const uri = monaco.Uri.from({ scheme: 'file', path: `/${scope}/${this.file.path}` });
    monaco.editor.getModel(uri)?.dispose(); // of a tab that was closed while it opened
    const model = monaco.editor.createModel(text, undefined, uri);
    if (this._isDisposed) {
      model.dispose();
      return model;
    }
    this._model = model;
    this.file.bind({
      // the byte order mark is the file's: it stays where it was
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

/** Replace what differs as one edit: cursors stay where they were in the text, in every view, and undo goes back. */
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
