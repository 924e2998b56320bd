/** Uploads files and folders from the person's machine into the project, with progress, cancel and a report. */

import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Files } from '../api/files';
import { makeFree } from '../model/freeName';
import { ReplError } from '../model/messages';
import { join, marked, parentOf } from '../model/paths';
import { fitting } from '../widgets/notices';

/** A file and its path in the project; without a file, a folder that may be empty. */
export interface IUpload {
  path: string;
  file: File | null;
}

/** Transfers at once. More would not be faster, and would delay saves. */
const PARALLEL = 3;

/**
 * Reads what was dropped, with the contents of folders. Call it while the drop event is being handled, because the
 * browser empties `items` afterwards.
 */
export async function readDropped(items: DataTransferItemList, folder: string): Promise<IUpload[]> {
  const files = [...items].filter(item => item.kind === 'file');
  const dropped = files.map(item => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found: IUpload[] = [];
  const read = async ({ entry, file }: (typeof dropped)[number]): Promise<void> => {
    if (entry) {
      await readEntry(entry, join(folder, entry.name), found);
    } else if (file) {
      found.push({ path: join(folder, file.name), file }); // not from a disk, such as an image of a web page
    }
  };
  await Promise.all(dropped.map(read));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Reads what was chosen in the browser's dialog. */
export function readChosen(files: Iterable<File>, folder: string): IUpload[] {
  return [...files].map(file => ({ path: join(folder, file.webkitRelativePath || file.name), file }));
}

async function readEntry(entry: FileSystemEntry, path: string, found: IUpload[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    );
    found.push({ path, file });
    return;
  }
  found.push({ path, file: null });
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // browsers return at most 100 entries at a time
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (!batch.length) {
      return;
    }
    await Promise.all(batch.map(inner => readEntry(inner, join(path, inner.name), found)));
  }
}

type Choice = 'replace' | 'both' | 'skip';

export class Uploads {
  constructor(
    private readonly _files: Files,
    private readonly _trans: TranslationBundle
  ) {}

  /** Send all uploads. Resolves when they are done. Never rejects: the report says what went wrong. */
  async send(uploads: IUpload[]): Promise<void> {
    const files = uploads.filter(({ file }) => file !== null);
    const total = files.reduce((sum, { file }) => sum + file!.size, 0) || 1;
    const sent = new Map<string, number>();
    const abort = new AbortController();
    const trans = this._trans;
    const title = trans._n('Uploading %2', 'Uploading %1 files', files.length, uploads[0]?.path ?? '');
    const id = Notification.emit(title, 'in-progress', {
      autoClose: false,
      progress: 0,
      actions: [{ label: trans.__('Cancel'), displayType: 'warn', callback: () => abort.abort() }]
    });
    const tell = (path: string, share: number, size: number): void => {
      sent.set(path, share * size);
      const progress = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0) / total;
      Notification.update({ id, message: title, progress: Math.min(1, progress) });
    };
    const failed: string[] = [];
    const queue = [...uploads];
    this._choice = null;
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next && !abort.signal.aborted; next = queue.shift()) {
        const { path, file } = next;
        try {
          await this._sendOne(next, abort.signal, share => tell(path, share, file?.size ?? 0));
        } catch (reason) {
          failed.push(ReplError.from(reason).text);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    // update the same notification: one that is dismissed before it was drawn stays for ever
    const end = (type: Notification.TypeOptions, text: string, autoClose: number | false): void => {
      const { message, actions } = fitting(text, [], trans);
      if (!Notification.update({ id, type, message, autoClose, progress: 1, actions })) {
        Notification.emit(message, type, { autoClose, actions }); // its Cancel button has closed it
      }
    };
    if (abort.signal.aborted) {
      end('info', trans.__('The upload was cancelled. Files that were already uploaded are kept.'), 5000);
    } else if (failed.length) {
      const more = failed.length > 3 ? trans.__(' And %1 more.', failed.length - 3) : '';
      end('error', failed.slice(0, 3).join(' ') + more, false);
    } else {
      end('success', trans._n('Uploaded %2.', 'Uploaded %1 files.', files.length, uploads[0]?.path), 3000);
    }
  }

  private async _sendOne(
    { path, file }: IUpload,
    signal: AbortSignal,
    onProgress: (share: number) => void
  ): Promise<void> {
    if (!file) {
      await this._files.create(path, 'dir').catch(reason => {
        if (ReplError.from(reason).code !== 'FileExists') {
          throw reason;
        }
      });
      return;
    }
    try {
      await this._files.upload(path, file, false, { signal, onProgress });
    } catch (reason) {
      if (ReplError.from(reason).code !== 'FileExists') {
        throw reason;
      }
      const choice = await (this._choice ??= this._ask(path));
      if (choice === 'replace') {
        await this._files.upload(path, file, true, { signal, onProgress });
      } else if (choice === 'both') {
        const send = (name: string): Promise<void> =>
          this._files.upload(name, file, false, { signal, onProgress });
        await makeFree(number => marked(path, String(number)), send);
      }
    }
    onProgress(1);
  }

  /** Asked once for all files of an upload. */
  private async _ask(path: string): Promise<Choice> {
    const trans = this._trans;
    const where = parentOf(path) || trans.__('the project');
    const { button } = await showDialog({
      title: trans.__('Some of these files exist already'),
      body: trans.__('For example %1 in %2. What should be done with all of them?', path, where),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Skip them') }),
        Dialog.warnButton({ label: trans.__('Replace them'), actions: ['replace'] }),
        Dialog.okButton({ label: trans.__('Keep both'), actions: ['both'] })
      ],
      defaultButton: 2
    });
    return (button.actions[0] as Choice | undefined) ?? 'skip';
  }

  private _choice: Promise<Choice> | null = null;
}
