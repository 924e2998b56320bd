/** What the launcher's commands do, loaded when one is used. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ITemplate, Rest } from '../api/rest';
import { upload } from '../api/upload';
import { idFrom } from '../model/ids';
import { createRepl } from '../widgets/createDialog';
import { askRemove } from '../widgets/dialogs';
import { showProjects } from '../widgets/projectsDialog';
import { Commands } from './commands';
import type { ProjectList } from './projects';

export interface IMakeOptions {
  rest: Rest;
  templates: ITemplate[];
  /** Chosen at first; of an archive empty: as it shows. */
  language: string;
  /** A zip that it is made from, in place of a template. */
  archive?: File;
  trans: TranslationBundle;
}

/** Ask for a name and make a REPL; resolves to its id, or null if the person thought otherwise. */
export function makeRepl({
  rest,
  templates,
  language,
  archive,
  trans
}: IMakeOptions): Promise<string | null> {
  if (!archive) {
    const create = (replId: string, language: string): Promise<unknown> => rest.create(replId, language);
    return createRepl({ templates, language, trans, create });
  }
  const any: ITemplate = {
    language: '',
    label: trans.__('As the archive shows'),
    icon: '',
    available: true,
    hint: ''
  };
  return createRepl({
    title: trans.__('New REPL from %1', archive.name),
    name: idFrom(archive.name.replace(/\.zip$/i, '')),
    templates: [any, ...templates],
    language,
    trans,
    create: (replId, language, tell) =>
      upload(rest.settings, rest.archiveUrl(replId, language ? { language } : {}), archive, {
        onProgress: share =>
          tell(share < 1 ? trans.__('Uploading: %1 %', Math.floor(share * 100)) : trans.__('Unpacking…'))
      })
  });
}

/** Let the person choose a zip; null if none was. */
export function chooseZip(): Promise<File | null> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = '.zip,application/zip';
    input.onchange = () => resolve(input.files?.[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}

export interface IManageOptions {
  rest: Rest;
  projects: ProjectList;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** Show all projects, and what can be done with them. */
export async function manageRepls(options: IManageOptions): Promise<void> {
  const { rest, projects, commands, trans } = options;
  await showProjects({
    projects: await rest.projects(),
    read: () => rest.projects(),
    open: ({ replId }) => void commands.execute(Commands.open, { replId }),
    stop: project => projects.stop(project),
    remove: ({ replId }) =>
      void askRemove(replId, () => rest.remove(replId), trans).then(() => manageRepls(options)),
    archiveUrl: ({ replId }) => rest.archiveUrl(replId),
    trans
  });
  projects.refresh();
}
