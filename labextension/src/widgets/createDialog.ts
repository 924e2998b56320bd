/** The dialog that creates a REPL: it asks for a name and a language. */

import '../../style/base.css'; // not as the package's `style`, which JupyterLab loads at its start

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { ITemplate } from '../api/server';
import { IdProblem, idProblem, randomName } from '../model/ids';
import { ActingDialog, IForm } from './actingDialog';

export interface ICreateOptions {
  /** The title of the dialog; New REPL if absent. */
  title?: string;
  /** The name that is proposed; if absent, three random words. */
  name?: string;
  templates: ITemplate[];
  /** The language that is selected at first. */
  language: string;
  trans: TranslationBundle;
  /** Creates the project; rejects with a ReplError. */
  create(replId: string, language: string, tell: (progress: string) => void): Promise<unknown>;
}

/** Ask and create; resolves to the new REPL's id, or to null if the person cancelled. */
export async function createRepl(options: ICreateOptions): Promise<string | null> {
  const { trans } = options;
  const body = new CreateBody(options);
  const dialog = new ActingDialog(body, {
    title: options.title ?? trans.__('New REPL'),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Create') })
    ]
  });
  dialog.addClass('jp-Repl-createDialog');
  return (await dialog.launch()).button.accept ? body.replId : null;
}

class CreateBody extends Widget implements IForm {
  constructor(private readonly _options: ICreateOptions) {
    super();
    const { trans, templates, language } = _options;
    this.addClass('jp-Repl-create');
    this._name.value = _options.name || randomName();
    this._name.className = 'jp-mod-styled';
    this._name.spellcheck = false;
    this._name.autocomplete = 'off';
    this._name.setAttribute('aria-describedby', 'jp-Repl-createProblem');
    this._name.oninput = () => this.check();
    this._problem.id = 'jp-Repl-createProblem';
    this._problem.className = 'jp-Repl-createProblem';
    this._problem.setAttribute('role', 'alert');
    for (const template of templates) {
      const option = new Option(template.label, template.language);
      if (!template.available) {
        option.text = trans.__('%1 (not available here)', template.label);
      }
      this._language.add(option);
    }
    this._language.className = 'jp-mod-styled';
    this._language.value = language;
    this._language.onchange = () => this.check();
    this.node.append(
      label(trans.__('Name'), this._name),
      label(trans.__('Language'), this._language),
      this._problem
    );
    this.check();
  }

  get replId(): string {
    return this._name.value;
  }

  get language(): string {
    return this._language.value;
  }

  act(): Promise<unknown> {
    return this._options.create(this.replId, this.language, progress => {
      this._problem.textContent = progress;
    });
  }

  check(): boolean {
    const template = this._options.templates.find(({ language }) => language === this.language);
    const problem = idProblem(this.replId);
    if (problem) {
      this.refuse(this._explain(problem));
    } else if (!template?.available) {
      this.refuse(template?.hint ?? this._options.trans.__('Choose a language.'));
    } else {
      this._problem.textContent = '';
      this._name.setAttribute('aria-invalid', 'false');
      return true;
    }
    return false;
  }

  refuse(reason: string): void {
    this._problem.textContent = reason;
    this._name.setAttribute('aria-invalid', 'true');
  }

  private _explain(problem: IdProblem): string {
    const { trans } = this._options;
    switch (problem) {
      case 'empty':
        return trans.__('Type a name.');
      case 'too-long':
        return trans.__('The name is longer than 48 characters.');
      case 'characters':
        return trans.__('Use lower-case letters, digits and hyphens, for example quiet-otter-42.');
      case 'hyphens':
        return trans.__('A hyphen stands between two letters or digits, never beside another hyphen.');
    }
  }

  private readonly _name = document.createElement('input');
  private readonly _language = document.createElement('select');
  private readonly _problem = document.createElement('div');
}

function label(text: string, control: HTMLElement): HTMLElement {
  const node = document.createElement('label');
  const span = document.createElement('span');
  span.textContent = text;
  node.append(span, control);
  return node;
}
