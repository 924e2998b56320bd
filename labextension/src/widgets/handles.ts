/** The borders between panes: a double click resets them, and arrow keys move them. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { SplitPanel } from '@lumino/widgets';

/** How far one key press moves a border, as a share of the whole panel. */
const STEP = 0.02;

/** @param onMoved - called when a person has moved a border */
export function followHandles(
  split: SplitPanel,
  reset: () => void,
  onMoved: () => void,
  trans: TranslationBundle
): void {
  const tell = (): void =>
    split.handles.forEach((handle, index) => {
      const share = split.relativeSizes().slice(0, index + 1);
      handle.setAttribute(
        'aria-valuenow',
        String(Math.round(100 * share.reduce((sum, size) => sum + size, 0)))
      );
    });
  split.handles.forEach((handle, index) => {
    handle.tabIndex = 0;
    handle.setAttribute('role', 'separator');
    handle.setAttribute('aria-label', trans.__('Border between panes'));
    handle.ondblclick = () => {
      reset();
      tell();
    };
    handle.onkeydown = event => {
      const by = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP }[event.key];
      if (by !== undefined) {
        event.preventDefault();
        move(split, index, by);
        tell();
        onMoved();
      }
    };
  });
  split.handleMoved.connect(() => {
    tell();
    onMoved();
  });
  tell();
}

function move(split: SplitPanel, index: number, by: number): void {
  const sizes = split.relativeSizes();
  const most = sizes[index] + sizes[index + 1];
  sizes[index] = Math.min(Math.max(0, sizes[index] + by), most);
  sizes[index + 1] = most - sizes[index];
  split.setRelativeSizes(sizes);
}
