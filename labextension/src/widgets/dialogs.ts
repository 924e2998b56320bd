/** Dialogs that rename and delete REPLs. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { ActingDialog, IForm } from './actingDialog';

interface IAskOptions {
  title: string;
  text: string;
  label: string;
  value: string;
  button: string;
  isDangerous: boolean;
  /** Returns what is wrong with a text; empty if nothing is. */
  check(text: string): string;
  /** Perform the action. If it rejects, the dialog shows the error. */
  act(text: string): Promise<unknown>;
  trans: TranslationBundle;
}

/** Ask for a REPL's new title and set it; resolves to the title, or to null if the person cancelled. */
export function askTitle(
  title: string,
  act: (title: string) => Promise<unknown>,
  trans: TranslationBundle
): Promise<string | null> {
  return ask({
    title: trans.__('Rename REPL'),
    text: trans.__('People see the title. The name in addresses and folders does not change.'),
    label: trans.__('Title'),
    value: title,
    button: trans.__('Rename'),
    isDangerous: false,
    check: text => (text.trim() === '' || text.length > 200 ? trans.__('Type 1 to 200 characters.') : ''),
    act: text => act(text.trim()),
    trans
  });
}

/** Delete a REPL once the person has typed its name; resolves to true if it was deleted. */
export async function askRemove(
  replId: string,
  act: () => Promise<unknown>,
  trans: TranslationBundle
): Promise<boolean> {
  const typed = await ask({
    title: trans.__('Delete %1?', replId),
    text: trans.__('This stops its programs and deletes all its files. It can’t be undone.'),
    label: trans.__('Type %1 to delete it', replId),
    value: '',
    button: trans.__('Delete'),
    isDangerous: true,
    check: text => (text === replId ? '' : trans.__('That is not its name.')),
    act,
    trans
  });
  return typed !== null;
}

async function ask(options: IAskOptions): Promise<string | null> {
  const { title, button, isDangerous, trans } = options;
  const body = new AskBody(options);
  const make = isDangerous ? Dialog.warnButton : Dialog.okButton;
  const dialog = new ActingDialog(body, {
    title,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), make({ label: button })],
    defaultButton: isDangerous ? 0 : 1
  });
  dialog.addClass('jp-Repl-askDialog');
  return (await dialog.launch()).button.accept ? body.text : null;
}

class AskBody extends Widget implements IForm {
  constructor(private readonly _options: IAskOptions) {
    super();
    this.addClass('jp-Repl-create');
    const text = document.createElement('p');
    text.textContent = _options.text;
    const label = document.createElement('label');
    const span = document.createElement('span');
    span.textContent = _options.label;
    this._input.className = 'jp-mod-styled';
    this._input.value = _options.value;
    this._input.spellcheck = false;
    this._input.autocomplete = 'off';
    this._input.oninput = () => this.refuse('');
    this._problem.className = 'jp-Repl-createProblem';
    this._problem.setAttribute('role', 'alert');
    label.append(span, this._input);
    this.node.append(text, label, this._problem);
  }

  get text(): string {
    return this._input.value;
  }

  check(): boolean {
    const problem = this._options.check(this.text);
    this.refuse(problem);
    return problem === '';
  }

  act(): Promise<unknown> {
    return this._options.act(this.text);
  }

  refuse(reason: string): void {
    this._problem.textContent = reason;
    this._input.setAttribute('aria-invalid', String(reason !== ''));
  }

  private readonly _input = document.createElement('input');
  private readonly _problem = document.createElement('div');
}
