/** What JupyterLab's status bar shows about the REPL in front. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { FileState } from '../model/file';
import type { ReplState } from '../model/repl';
import type { ISynced } from '../model/synced';
import type { Editor } from './editor';
import { describeFiles, describeRepl, describeSync } from './words';

/** The parts of a tab that the status bar needs. */
export interface IStatusSource {
  readonly language: string;
  readonly repl: { state: ReplState };
  readonly sync: { marks: ISynced | null };
  readonly documents: {
    readonly editor: Editor | null;
    readonly texts: { readonly states: FileState[]; readonly autoSave: boolean };
  };
}

export class StatusItem extends Widget {
  constructor(private readonly _trans: TranslationBundle) {
    super();
    this.addClass('jp-Repl-statusItem');
    this.node.append(this._text);
  }

  /** Show what this tab is doing; null: show nothing. */
  tell(source: IStatusSource | null): void {
    const text = source ? this._describe(source) : '';
    if (this._text.textContent !== text) {
      this._text.textContent = text;
      this._text.title = text;
    }
  }

  private _describe({ language, repl, sync, documents }: IStatusSource): string {
    const trans = this._trans;
    const { editor, texts } = documents;
    const words = [describeRepl(repl.state.kind, trans), describeFiles(texts.states, texts.autoSave, trans)];
    words.push(describeSync(sync.marks, trans));
    const [place, details] = [editor?.place, editor?.details];
    if (place && details) {
      words.push(
        trans.__('Ln %1, Col %2', place.line, place.column),
        details.insertSpaces
          ? trans.__('Spaces: %1', details.tabSize)
          : trans.__('Tab Size: %1', details.tabSize),
        details.encoding,
        details.crlf ? 'CRLF' : 'LF',
        details.language
      );
    } else {
      words.push(language);
    }
    return words.filter(Boolean).join('   ');
  }

  private readonly _text = document.createElement('span');
}
