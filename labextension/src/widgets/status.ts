/** The words at the right of the toolbar. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { FileState } from '../model/file';
import type { ReplState } from '../model/repl';

export function describeRepl(kind: ReplState['kind'], trans: TranslationBundle): string {
  return {
    starting: trans.__('starting'),
    running: trans.__('running'),
    lost: trans.__('not connected'),
    stopping: trans.__('stopping'),
    stopped: trans.__('stopped'),
    failed: trans.__('failed')
  }[kind];
}

/** Whether all that was typed is saved: the worst of the open files' states. */
export function describeFiles(states: readonly FileState[], trans: TranslationBundle): string {
  if (states.some(state => state === 'failed' || state === 'conflict')) {
    return trans.__('not saved');
  }
  return states.every(state => state === 'saved') ? trans.__('saved') : trans.__('saving…');
}
