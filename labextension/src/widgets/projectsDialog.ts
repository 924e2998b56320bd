/** All projects: resume, stop, download and delete them. */

import '../../style/base.css'; // not as the package's `style`, which JupyterLab loads at its start

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IProject } from '../api/server';
import { ReplError } from '../model/messages';
import { download } from './download';
import { describeRepl } from './words';

export interface IProjectsOptions {
  projects: readonly IProject[];
  /** Fetch the projects again. */
  read(): Promise<readonly IProject[]>;
  open(project: IProject): void;
  stop(project: IProject): Promise<unknown>;
  /** Ask, and delete the project. This dialog closes first: JupyterLab shows one dialog at a time. */
  remove(project: IProject): void;
  archiveUrl(project: IProject): string;
  trans: TranslationBundle;
}

export async function showProjects(options: IProjectsOptions): Promise<void> {
  const { trans } = options;
  const body = new ProjectsBody(options, () => dialog.reject());
  const dialog = new Dialog({
    title: trans.__('All REPLs'),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })],
    focusNodeSelector: 'input'
  });
  dialog.addClass('jp-Repl-projectsDialog');
  await dialog.launch();
}

class ProjectsBody extends Widget {
  constructor(
    private readonly _options: IProjectsOptions,
    private readonly _close: () => void
  ) {
    super();
    const { trans } = _options;
    this.addClass('jp-Repl-projects');
    this._projects = _options.projects;
    this._filter.className = 'jp-mod-styled';
    this._filter.type = 'search';
    this._filter.placeholder = trans.__('Find by name');
    this._filter.setAttribute('aria-label', trans.__('Find by name'));
    this._filter.oninput = () => this._draw();
    this._table.setAttribute('aria-label', trans.__('REPLs'));
    this._problem.className = 'jp-Repl-createProblem';
    this._problem.setAttribute('role', 'alert');
    const scroll = document.createElement('div');
    scroll.className = 'jp-Repl-projectsList';
    scroll.append(this._table);
    this.node.append(this._filter, scroll, this._problem);
    this._draw();
  }

  private _draw(): void {
    const wanted = this._filter.value.toLowerCase();
    const found = this._projects.filter(({ title, replId }) =>
      `${title} ${replId}`.toLowerCase().includes(wanted)
    );
    this._table.replaceChildren(...found.map(project => this._row(project)));
    this._problem.textContent = found.length ? '' : this._options.trans.__('There is no such REPL.');
  }

  private _row(project: IProject): HTMLElement {
    const { trans, open, stop, remove, archiveUrl } = this._options;
    const row = document.createElement('tr');
    row.dataset.repl = project.replId;
    const name = document.createElement('th');
    name.scope = 'row';
    name.textContent = project.title;
    name.title = project.replId;
    const cells = [
      project.language,
      describeRepl(project.phase.name, trans),
      new Date(project.created).toLocaleString()
    ].map(text => {
      const cell = document.createElement('td');
      cell.textContent = text;
      return cell;
    });
    const actions = document.createElement('td');
    const isOff = project.phase.name === 'stopped' || project.phase.name === 'failed';
    const add = (label: string, run: () => void): void => {
      const button = document.createElement('button');
      button.className = 'jp-Repl-bannerButton jp-mod-styled jp-mod-minimal';
      button.textContent = label;
      button.setAttribute('aria-label', `${label}: ${project.title}`);
      button.onclick = run;
      actions.append(button);
    };
    add(isOff ? trans.__('Resume') : trans.__('Open'), () => {
      this._close();
      open(project);
    });
    if (!isOff) {
      add(trans.__('Stop'), () => this._do(() => stop(project)));
    }
    add(trans.__('Download'), () => download(archiveUrl(project)));
    add(trans.__('Delete…'), () => {
      this._close();
      remove(project);
    });
    row.append(name, ...cells, actions);
    return row;
  }

  private _do(action: () => Promise<unknown>): void {
    action()
      .then(() => this._options.read())
      .then(projects => {
        this._projects = projects;
        this._draw();
      })
      .catch(reason => (this._problem.textContent = ReplError.from(reason).text));
  }

  private _projects: readonly IProject[];
  private readonly _filter = document.createElement('input');
  private readonly _table = document.createElement('table');
  private readonly _problem = document.createElement('div');
}
