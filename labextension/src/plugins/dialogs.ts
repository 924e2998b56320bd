/** What the launcher's commands do; loaded when one of them is used. */

import { showErrorMessage } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import { Rest } from '../api/rest';
import type { ITemplate, Server } from '../api/server';
import { upload } from '../api/upload';
import { idFrom } from '../model/ids';
import { ReplError } from '../model/messages';
import { createRepl } from '../widgets/createDialog';
import { askRemove } from '../widgets/dialogs';
import { showProjects } from '../widgets/projectsDialog';
import { CATEGORY, Commands } from './commands';
import { removeRepl } from './drafts';
import type { ProjectList } from './projectList';

export interface IMakeOptions {
  server: Server;
  templates: ITemplate[];
  /** The language chosen at first; if empty, the server detects it from the archive. */
  language: string;
  /** A zip to create the REPL from, in place of a template. */
  archive?: File;
}

/** Ask for a name and create a REPL. Resolves to its id, or to null if the person cancelled. */
export function makeRepl({ server, templates, language, archive }: IMakeOptions): Promise<string | null> {
  const { settings, trans } = server;
  const rest = new Rest(settings, trans);
  if (!archive) {
    const create = (replId: string, language: string): Promise<unknown> => rest.create(replId, language);
    return createRepl({ templates, language, trans, create });
  }
  const any: ITemplate = {
    language: '',
    label: trans.__('Detect from the archive'),
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
      upload(rest, rest.archiveUrl(replId, language ? { language } : {}), archive, {
        onProgress: share =>
          tell(share < 1 ? trans.__('Uploading: %1 %', Math.floor(share * 100)) : trans.__('Unpacking…'))
      })
  });
}

/** Accept zips dropped on our launcher cards from now on; `take` gets the card's label and the zip. */
export function takeZips(take: (label: string, file: File) => unknown): void {
  const cardOf = ({ target, dataTransfer }: DragEvent): Element | null =>
    dataTransfer?.types.includes('Files')
      ? (target as Element).closest(`.jp-LauncherCard[data-category="${CATEGORY}"]`)
      : null;
  document.addEventListener('dragover', event => {
    if (cardOf(event)) {
      event.preventDefault();
      event.dataTransfer!.dropEffect = 'copy';
    }
  });
  document.addEventListener('drop', event => {
    const [card, file] = [cardOf(event), event.dataTransfer?.files[0]];
    if (card && file) {
      event.preventDefault();
      take(card.textContent.trim(), file);
    }
  });
}

/** Let the person choose a zip. Resolves to null if none was chosen. */
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
  server: Server;
  projects: ProjectList;
  commands: CommandRegistry;
}

/** Show all projects, and what can be done with them. */
export async function manageRepls(options: IManageOptions): Promise<void> {
  const { server, projects, commands } = options;
  const { trans } = server;
  const rest = new Rest(server.settings, trans);
  await showProjects({
    projects: await rest.projects(),
    read: () => rest.projects(),
    open: ({ replId }) => void commands.execute(Commands.open, { replId }),
    stop: project => projects.stop(project),
    remove: ({ replId }) =>
      void askRemove(replId, () => removeRepl(rest, replId), trans)
        .then(() => manageRepls(options))
        .catch(reason =>
          showErrorMessage(trans.__('The REPLs can’t be listed'), ReplError.from(reason).text)
        ),
    archiveUrl: ({ replId }) => rest.archiveUrl(replId),
    trans
  });
  projects.refresh();
}

/** Stop a REPL. Resolves when it has stopped; rejects with a ReplError. */
export async function stopRepl({ settings, trans }: Server, replId: string): Promise<void> {
  const rest = new Rest(settings, trans);
  await rest.stop(replId);
  await rest.follow(replId, () => undefined);
}
