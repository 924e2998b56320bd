/** A file in one of JupyterLab's own renderers: images, PDF, CSV, Markdown. */

import { Context, DocumentRegistry } from '@jupyterlab/docregistry';
import type { ServiceManager } from '@jupyterlab/services';
import type { LabIcon } from '@jupyterlab/ui-components';
import { BoxLayout, Widget } from '@lumino/widgets';
import { ReplError } from '../model/messages';
import { nameOf } from '../model/paths';

/** JupyterLab's renderers by a file's extension. Without the renderer, the file opens as text. */
const BY_ENDING: [RegExp, string][] = [
  [/\.(png|jpe?g|gif|webp|bmp|ico|svg)$/i, 'Image'],
  [/\.pdf$/i, 'PDF'],
  [/\.csv$/i, 'CSVTable'],
  [/\.tsv$/i, 'TSVTable']
];
const MARKDOWN: [RegExp, string] = [/\.(md|markdown)$/i, 'Markdown Preview'];

/** The renderer that a file opens with; null: the editor. */
export function rendererOf(path: string, registry: DocumentRegistry): string | null {
  const name = BY_ENDING.find(([ending]) => ending.test(path))?.[1];
  return name && registry.getWidgetFactory(name) ? name : null;
}

/** The renderer for the preview of a file; null if there is none. */
export function previewOf(path: string, registry: DocumentRegistry): string | null {
  const name = [...BY_ENDING, MARKDOWN].find(([ending]) => ending.test(path))?.[1];
  return name && registry.getWidgetFactory(name) ? name : null;
}

export interface IViewerOptions {
  path: string;
  /** The name of a widget factory in JupyterLab's registry. */
  renderer: string;
  /** The file's path on our drive. */
  drivePath: string;
  registry: DocumentRegistry;
  services: ServiceManager.IManager;
  icon: LabIcon;
}

/** The same services, but without checkpoints: viewing a file must not write anything beside it. */
function lookingOnly(services: ServiceManager.IManager): ServiceManager.IManager {
  const contents = Object.create(services.contents, {
    createCheckpoint: { value: () => Promise.resolve({ id: '', last_modified: '' }) },
    listCheckpoints: { value: () => Promise.resolve([]) } // Jupyter creates a folder to list them
  });
  return Object.create(services, { contents: { value: contents } });
}

export class Viewer extends Widget {
  constructor(private readonly _options: IViewerOptions) {
    super();
    const { path, renderer, icon } = _options;
    this.addClass('jp-Repl-viewer');
    this.title.label = nameOf(path);
    this.title.caption = path;
    this.title.closable = true;
    this.title.icon = icon;
    this.node.dataset.path = path;
    this.node.dataset.renderer = renderer;
    this.layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    this.ready = this._open();
  }

  readonly ready: Promise<void>;

  get path(): string {
    return this._options.path;
  }

  get renderer(): string {
    return this._options.renderer;
  }

  /** The file has changed on disk: show its new content. */
  async changedOnDisk(): Promise<void> {
    await this._context?.revert();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._context?.dispose();
      super.dispose();
    }
  }

  private async _open(): Promise<void> {
    const { registry, renderer, drivePath: path, services } = this._options;
    const manager = lookingOnly(services);
    try {
      const factory = registry.getWidgetFactory(renderer)!;
      const model = registry.getModelFactory(factory.modelName ?? 'text')!;
      const kernelPreference = { shouldStart: false, canStart: false, autoStartDefault: false };
      const context = (this._context = new Context({ manager, factory: model, path, kernelPreference }));
      await context.initialize(false);
      if (this.isDisposed) {
        context.dispose();
        return;
      }
      const widget = factory.createNew(context);
      (this.layout as BoxLayout).addWidget(widget);
      BoxLayout.setStretch(widget, 1);
      await context.ready;
      this.node.dataset.ready = 'true';
    } catch (reason) {
      const box = document.createElement('div');
      box.className = 'jp-Repl-refused';
      box.textContent = ReplError.from(reason).text;
      this.node.replaceChildren(box);
      this.node.dataset.ready = 'refused';
    }
  }

  private _context: Context<DocumentRegistry.IModel> | null = null;
}
