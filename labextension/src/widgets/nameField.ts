/** A field for a name. Enter or leaving the field accepts the name, Escape cancels. It shows why a name is wrong. */

export interface INameFieldOptions {
  label: string;
  /** The name in the field at first. */
  value: string;
  /** How many characters from the start are selected: a file's extension is not. */
  selected: number;
  /** Returns what is wrong with a name; empty if nothing is. */
  check(name: string): string;
  /** Called with an accepted name that differs from `value`. */
  commit(name: string): void;
  /** Called once when the field is done, before `commit`. */
  end(): void;
}

export function makeNameField(options: INameFieldOptions): HTMLInputElement {
  const input = document.createElement('input');
  input.className = 'jp-Repl-nameField jp-mod-styled';
  input.value = options.value;
  input.spellcheck = false;
  input.autocomplete = 'off';
  input.setAttribute('aria-label', options.label);
  input.dataset.lmSuppressShortcuts = 'true';
  let isDone = false;
  const end = (isTaken: boolean): void => {
    if (isDone) {
      return;
    }
    const name = input.value.trim();
    const isNew = isTaken && name !== '' && name !== options.value && options.check(name) === '';
    isDone = true;
    options.end();
    if (isNew) {
      options.commit(name);
    }
  };
  const tell = (): void => {
    const problem = input.value === '' ? '' : options.check(input.value.trim());
    input.setCustomValidity(problem);
    input.title = problem;
    input.setAttribute('aria-invalid', String(problem !== ''));
    if (problem) {
      input.reportValidity();
    }
  };
  input.addEventListener('input', tell);
  input.addEventListener('blur', () => end(true));
  input.addEventListener('keydown', event => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      end(false);
    } else if (event.key === 'Enter' && !event.isComposing) {
      tell();
      if (input.validity.valid) {
        end(true);
      }
    }
  });
  // after the caller has added the field to the page
  setTimeout(() => {
    input.focus();
    input.setSelectionRange(0, options.selected);
  });
  return input;
}
