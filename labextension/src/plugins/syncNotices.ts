/** Sync's notices: that nothing is saved any more, which files can't be saved, and what to install again. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISynced, SyncModel } from '../model/synced';
import type { Banner } from '../widgets/banner';
import { notify } from '../widgets/notices';

/** States in which nothing is saved until somebody acts. */
const BROKEN: ReadonlySet<string> = new Set(['fenced', 'gone', 'failed']);

/** Show the notices from now on. */
export function followSync(sync: SyncModel, banner: Banner, trans: TranslationBundle): void {
  new SyncNotices(sync, banner, trans);
}

class SyncNotices {
  constructor(
    sync: SyncModel,
    private readonly _banner: Banner,
    private readonly _trans: TranslationBundle
  ) {
    sync.changed.connect((_, marks) => this._tell(marks));
  }

  private _tell(marks: ISynced): void {
    const { _banner: banner, _trans: trans } = this;
    if (BROKEN.has(marks.state)) {
      banner.say('error', [trans.__('Nothing is saved in S3 any more:'), marks.reason, marks.hint].join(' '));
    } else {
      banner.silence();
    }
    for (const { path, reason } of marks.reports) {
      this._once(`report ${path} ${reason}`, () =>
        notify('warning', trans.__('%1 is not saved in S3. %2', path, reason), { autoClose: false }, trans)
      );
    }
    for (const { path, command } of marks.missing) {
      this._once(`missing ${path}`, () =>
        notify(
          'info',
          trans.__('%1 is not saved in S3. To install it again, run: %2', path, command),
          { autoClose: false },
          trans
        )
      );
    }
    for (const path of marks.leftOut) {
      this._once(`left out ${path}`, () =>
        notify(
          'info',
          trans.__('%1 can be installed again, so it is not saved in S3.', path),
          { autoClose: 8000 },
          trans
        )
      );
    }
  }

  private _once(what: string, tell: () => void): void {
    if (!this._told.has(what)) {
      this._told.add(what);
      tell();
    }
  }

  private readonly _told = new Set<string>();
}
