/** Describes in words what REPLs, files and runs are doing. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { FileState } from '../model/file';
import type { IRun } from '../model/messages';
import type { ReplState } from '../model/repl';
import type { ISynced } from '../model/synced';
import { isRunning } from '../model/run';

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

/** Whether all typed text is saved: the worst state of the open files. Without `autoSave`, the person must save. */
export function describeFiles(
  states: readonly FileState[],
  autoSave: boolean,
  trans: TranslationBundle
): string {
  if (
    states.some(state => state === 'failed' || state === 'conflict' || (state === 'unsaved' && !autoSave))
  ) {
    return trans.__('not saved');
  }
  return states.every(state => state === 'saved' || state === 'deleted')
    ? trans.__('saved')
    : trans.__('saving…');
}

/** How much of the project is in S3; empty if the project is on the server's own disk. */
export function describeSync(marks: ISynced | null, trans: TranslationBundle): string {
  if (!marks) {
    return '';
  }
  const { state, when, pending, restored } = marks;
  switch (state) {
    case 'restoring':
      return trans.__('restoring %1 of %2 files', restored.files, restored.totalFiles);
    case 'saved':
      return when
        ? trans.__('in S3 since %1', new Date(when * 1000).toLocaleTimeString())
        : trans.__('in S3');
    case 'saving':
      return trans._n('one file on its way to S3', '%1 files on their way to S3', pending);
    case 'away':
      return trans._n('S3 is away, one file waits', 'S3 is away, %1 files wait', pending);
    default:
      return trans.__('not saved in S3');
  }
}

/** How a run ended and how long it took, or that it is running. */
export function describeRun(run: IRun, trans: TranslationBundle): string {
  if (isRunning(run)) {
    return trans.__('Running…');
  }
  const seconds = trans.__('%1 s', (run.duration ?? 0).toFixed(1));
  if (run.signal) {
    return trans.__('Ended by %1 · %2', run.signal, seconds);
  }
  if (run.code === null || run.code === undefined) {
    return trans.__('Ended when its REPL stopped');
  }
  const mark = run.code === 0 ? '✓' : '✗';
  return [trans.__('%1 exit %2 · %3', mark, run.code, seconds), run.hint].filter(Boolean).join(' · ');
}
