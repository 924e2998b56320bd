/** The views of files that a tab can show, and how to tell them apart. */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { fileIcon, LabIcon } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';
import { Editor } from '../widgets/editor';
import { Viewer } from '../widgets/viewer';

/** Stands for the editor wherever the name of a renderer is expected. */
export const TEXT = 'text';

export interface IViewKey {
  path: string;
  /** The name of a JupyterLab renderer, or TEXT. */
  renderer: string;
}

/** Returns null if the widget is not a view of a file. */
export function keyOf(view: Widget): IViewKey | null {
  if (view instanceof Editor) {
    return { path: view.file.path, renderer: TEXT };
  }
  return view instanceof Viewer ? { path: view.path, renderer: view.renderer } : null;
}

/** Returns an empty string if the widget is not a view of a file. */
export function pathOf(view: Widget): string {
  return keyOf(view)?.path ?? '';
}

/** The icon that JupyterLab has for a file of this name. */
export function iconOf(registry: DocumentRegistry, name: string): LabIcon {
  return registry.getFileTypesForPath(name)[0]?.icon ?? fileIcon;
}
