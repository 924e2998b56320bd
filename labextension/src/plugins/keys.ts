/**
 * Makes our shortcuts work in editors and terminals, where JupyterLab suppresses shortcuts
 * (`data-lm-suppress-shortcuts`). The keys are those of JupyterLab's settings.
 */

import { CommandRegistry } from '@lumino/commands';
import { isOursInTerminal } from '../model/keys';

/**
 * @param node - the tab's; its keys are handled before they reach the editor or the terminal
 * @returns a function that stops this
 */
export function routeKeys(node: HTMLElement, commands: CommandRegistry): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const target = event.target as Element;
    const isTerminal = target.closest('.jp-Repl-terminalHost') !== null;
    if (!isTerminal && !target.closest('.jp-Repl-editorHost, .jp-Repl-compare')) {
      return;
    }
    const keystroke = CommandRegistry.keystrokeForKeydownEvent(event);
    if (!keystroke || (isTerminal && !isOursInTerminal(keystroke))) {
      return;
    }
    const binding = commands.keyBindings.find(
      ({ command, keys, selector }) =>
        command.startsWith('jupyter-repl:') &&
        keys.length === 1 &&
        keys[0] === keystroke &&
        target.closest(selector) !== null
    );
    if (binding && commands.isEnabled(binding.command, binding.args)) {
      event.preventDefault();
      event.stopPropagation();
      void commands.execute(binding.command, binding.args);
    }
  };
  node.addEventListener('keydown', onKey, true);
  return () => node.removeEventListener('keydown', onKey, true);
}
