/** A line in which a name is typed: Enter or leaving it takes the name, Escape doesn't, a wrong one says why. */

export interface INameFieldOptions {
  label: string;
  /** What is there at first. */
  value: string;
  /** How many of its characters are selected: a file's ending is not. */
  selected: number;
  /** What is wrong with a name; empty if nothing is. */
  check(name: string): string;
  /** The name was chosen, another one than `value`. */
  commit(name: string): void;
  /** The field is gone. */
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
  // once it is in the page
  setTimeout(() => {
    input.focus();
    input.setSelectionRange(0, options.selected);
  });
  return input;
}
