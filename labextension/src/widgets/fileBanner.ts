/** The messages above an editor about its file: conflicts, failed saves, and unsaved text of an earlier page. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { FileModel } from '../model/file';
import { ReplError } from '../model/messages';
import { nameOf } from '../model/paths';
import type { Banner, IBannerAction } from './banner';

export class FileBanner {
  /** @param _back - brings the focus back to the text */
  constructor(
    private readonly _banner: Banner,
    private readonly _file: FileModel,
    private readonly _back: () => void,
    private readonly _compare: (file: FileModel) => void,
    private readonly _trans: TranslationBundle
  ) {
    _file.stateChanged.connect(this._onState, this);
  }

  /** Call this once the text is shown; the banner reports its state. `insert` puts text at the cursor. */
  opened(insert: (text: string) => void): void {
    this._insert = insert;
    if (this._file.state !== 'saved') {
      this._onState();
    } else if (this._file.draft.lost) {
      this._tellLostDraft();
    }
  }

  dispose(): void {
    this._file.stateChanged.disconnect(this._onState, this);
  }

  private _onState(): void {
    const { _file: file, _banner: banner, _trans: trans } = this;
    const { path, state } = file;
    const wasAtRisk = this._isAtRisk;
    this._isAtRisk = false;
    if (state === 'conflict') {
      const what = trans.__('%1 was changed on disk while you typed.', path);
      const copy = nameOf(file.copy.path);
      const where = copy ? trans.__('Your text is kept in %1 until you choose.', copy) : '';
      banner.say('warning', [what, where].filter(Boolean).join(' '), [
        { label: trans.__('Compare'), run: () => this._compare(file) },
        this._action(trans.__('Keep my text'), () => file.keepMine()),
        this._action(trans.__('Take the text on disk'), () => file.takeTheirs())
      ]);
    } else if (state === 'failed') {
      const risk = file.draft.hasNoRoom ? trans.__('This browser has no room to keep it either.') : '';
      const what = trans.__('%1 is not saved: %2', path, file.error?.text ?? '');
      banner.say('warning', [what, risk].filter(Boolean).join(' '), [
        this._action(trans.__('Save again'), () => file.save())
      ]);
    } else if (file.draft.hasNoRoom) {
      this._isAtRisk = true;
      banner.say(
        'warning',
        trans.__(
          '%1 is not saved, and this browser has no room to keep it: closing the page loses the text.',
          path
        ),
        [this._action(trans.__('Save'), () => file.save())]
      );
    } else if (state === 'deleted') {
      banner.say('warning', trans.__('%1 was deleted on disk. This editor has the only copy.', path), [
        this._action(trans.__('Put it back'), () => file.writeNow())
      ]);
    } else if (state === 'saved') {
      if (file.copy.path) {
        this._tellCopy();
      } else {
        banner.silence();
      }
    } else if (wasAtRisk) {
      banner.silence(); // it is not saved yet, but the browser holds a draft
    }
  }

  /** After a conflict: offers to delete the text that was not chosen. */
  private _tellCopy(): void {
    const trans = this._trans;
    const { copy } = this._file;
    const done = (): void => {
      copy.forget();
      this._onState();
      this._back();
    };
    this._banner.say('info', trans.__('The other text is in %1.', nameOf(copy.path)), [
      this._action(trans.__('Delete it'), () => copy.delete().then(done)),
      { label: trans.__('Keep both'), run: done }
    ]);
  }

  private _tellLostDraft(): void {
    const trans = this._trans;
    const lost = this._file.draft.lost;
    const drop = (): void => {
      this._file.draft.dropLost();
      this._banner.silence();
      this._back();
    };
    const message = trans.__(
      'You typed this text earlier. It was not saved, and the file has changed since: %1',
      lost.length > 60 ? `${lost.slice(0, 60)}…` : lost
    );
    const insert = (): void => {
      this._insert(lost);
      drop();
    };
    this._banner.say('warning', message, [
      { label: trans.__('Insert at the cursor'), run: insert },
      { label: trans.__('Discard'), run: drop }
    ]);
  }

  /** A button that does something and brings the focus back to the text. */
  private _action(label: string, action: () => Promise<unknown>): IBannerAction {
    const run = (): void => {
      action().catch(reason => this._banner.say('error', ReplError.from(reason).text));
      this._back();
    };
    return { label, run };
  }

  private _insert: (text: string) => void = () => undefined;
  /** Whether the banner says that the browser has no room. */
  private _isAtRisk = false;
}
