/** The open files of one tab: one document per file with any number of editors, and views by JupyterLab's renderers. */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ServiceManager } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';
import type { DockPanel, Widget } from '@lumino/widgets';
import { drivePath } from '../api/drive';
import type { Files } from '../api/files';
import type { Drafts } from '../model/drafts';
import type { FileModel } from '../model/file';
import type { IChanged } from '../model/messages';
import { splitKey } from '../model/replKey';
import { isWithin, nameOf } from '../model/paths';
import type { ISettings } from '../model/settings';
import type { Monaco } from '../monaco/textDocument';
import { Compare } from '../widgets/compare';
import { Editor, IPlace } from '../widgets/editor';
import { rendererOf, Viewer } from '../widgets/viewer';
import { PackedArea, packDock, unpackDock } from './dockLayout';
import { Texts } from './texts';
import { iconOf, IViewKey, keyOf, pathOf, TEXT } from './views';

export interface IDocumentsOptions {
  /** Of the REPL, see `model/replKey`. */
  key: string;
  dock: DockPanel;
  files: Files;
  drafts: Drafts;
  /** Keeps the texts of different REPLs apart. */
  scope: string;
  monaco(): Promise<Monaco>;
  settings: ISettings;
  registry: DocumentRegistry;
  services: ServiceManager.IManager;
  trans: TranslationBundle;
}

export interface IOpenOptions {
  focus?: boolean;
  place?: IPlace;
  /** The name of a JupyterLab renderer, or TEXT to use an editor for any file. */
  renderer?: string;
  /** On which side of the view in front to open it; absent: as a tab. */
  split?: 'right' | 'bottom';
}

export class Documents {
  constructor(private readonly _options: IDocumentsOptions) {
    const { settings, files, drafts, scope, monaco } = _options;
    this._settings = settings;
    this.texts = new Texts(files, drafts, scope, monaco);
    this.texts.autoSave = settings.autoSave;
    this.texts.changed.connect(() => this._changed.emit());
  }

  readonly texts: Texts;

  /** The cursor or the scroll position of an editor has moved. */
  get moved(): ISignal<this, void> {
    return this._moved;
  }

  /** Which files are open, in front or unsaved has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The path of the file in front; empty if there is none. */
  get active(): string {
    return this._active ? pathOf(this._active) : '';
  }

  /** The editor in front, if it is one. */
  get editor(): Editor | null {
    return this._active instanceof Editor ? this._active : null;
  }

  /** Show a file, in its existing view if it has one. */
  open(path: string, { focus = true, place, renderer, split }: IOpenOptions = {}): Widget {
    const { registry } = this._options;
    const wanted = renderer ?? rendererOf(path, registry) ?? TEXT;
    const known = split ? undefined : this._find({ path, renderer: wanted });
    const view = known ?? this._make({ path, renderer: wanted }, place ?? null);
    if (!known) {
      const ref = this._active?.isDisposed === false ? this._active : null;
      const mode = split ? (`split-${split}` as const) : 'tab-after';
      this._options.dock.addWidget(view, ref ? { mode, ref } : {});
    }
    this._options.dock.selectWidget(view);
    if (focus || !this._active?.node.contains(document.activeElement)) {
      this._onShown(view); // else somebody is typing in the active view, which stays active
    }
    if (known instanceof Editor && place) {
      known.goTo(place);
    }
    if (focus) {
      view.activate();
    }
    return view;
  }

  /** Another view of the file in front, beside it. */
  split(side: 'right' | 'bottom'): void {
    if (this.editor) {
      const { path } = this.editor.file;
      this.open(path, { split: side, place: this.editor.place ?? undefined, renderer: TEXT });
    }
  }

  /** Give the keyboard focus to the view in front. */
  focus(): void {
    this._active?.activate();
  }

  /** Open the files that have drafts of an earlier page, so that the drafts are saved. */
  openDrafts(paths: readonly string[]): void {
    const { active } = this;
    paths
      .filter(path => !this.texts.has(path))
      .forEach(path => this.open(path, { focus: false, renderer: TEXT }));
    if (active) {
      this.open(active, { focus: false });
    }
  }

  /** Close the view in front. */
  closeActive(): void {
    this._active?.close();
  }

  /** Apply changes on disk. */
  apply(change: IChanged): void {
    this.texts.apply(change);
    const changed = new Set(change.files?.filter(({ etag }) => etag !== null).map(({ path }) => path));
    for (const view of this._views) {
      if (view instanceof Viewer && (change.all || changed.has(view.path))) {
        view.changedOnDisk().catch(() => undefined);
      }
    }
  }

  /** Files were moved: open their views again at the new paths. */
  follow(from: string, to: string): void {
    for (const view of [...this._views]) {
      const path = pathOf(view);
      if (isWithin(path, from)) {
        const place = view instanceof Editor ? view.place : null;
        const focus = view.node.contains(document.activeElement);
        const { renderer } = keyOf(view)!;
        this._remove(view);
        this.open(to + path.slice(from.length), { place: place ?? undefined, focus, renderer });
      }
    }
  }

  /** Files were deleted: close their views without saving. */
  deleted(path: string): void {
    [...this._views].filter(view => isWithin(pathOf(view), path)).forEach(view => this._remove(view));
  }

  updateSettings(settings: ISettings): void {
    this._settings = settings;
    this.texts.autoSave = settings.autoSave;
    this._views.forEach(view => view instanceof Editor && (view.settings = settings));
  }

  /** The open files, their arrangement, and the cursor and scroll position in each. */
  get layout(): { dock: PackedArea | null; places: [string, IPlace][]; active: string } {
    this._views.forEach(view => this._keepPlace(view));
    const dock = packDock(this._options.dock, view => keyOf(view) as ReadonlyJSONValue | null);
    return { dock, places: [...this._places].slice(-MAX_PLACES), active: this.active };
  }

  restore(dock: PackedArea, places: readonly [string, IPlace][], active: string): void {
    places.forEach(([path, place]) => this._places.set(path, place));
    unpackDock(this._options.dock, dock, key => {
      const { path, renderer } = key as unknown as IViewKey;
      return this._make({ path, renderer }, null);
    });
    const front = [...this._views].find(view => pathOf(view) === active && view.isVisible);
    if (front ?? [...this._views][0]) {
      this._onShown(front ?? [...this._views][0]);
    }
  }

  dispose(): void {
    [...this._views].forEach(view => this._remove(view));
    this.texts.dispose();
    Signal.clearData(this);
  }

  private _find({ path, renderer }: IViewKey): Widget | undefined {
    const found = [...this._views].filter(view => pathOf(view) === path);
    const inFront = found.find(view => view === this._active);
    return [inFront, ...found].find(view => view && keyOf(view)?.renderer === renderer);
  }

  private _make({ path, renderer }: IViewKey, place: IPlace | null): Widget {
    const { registry, services, key, files, trans } = this._options;
    const icon = iconOf(registry, nameOf(path));
    let view: Viewer | Editor;
    if (renderer !== TEXT && registry.getWidgetFactory(renderer)) {
      view = new Viewer({ path, renderer, icon, registry, services, drivePath: drivePath(key, path) });
      view.node.addEventListener('focusin', () => this._onShown(view));
    } else {
      view = new Editor({
        document: this.texts.get(path),
        settings: this._settings,
        icon,
        place: place ?? this._places.get(path) ?? null,
        encoding: path => files.encoding(path),
        downloadUrl: path => files.url(path),
        compare: file => this._compare(file),
        close: editor => void this._close(editor),
        readOnly: splitKey(key).owner !== '',
        trans
      });
      view.shown.connect(view => this._onShown(view));
      view.moved.connect(() => this._moved.emit());
    }
    this._views.add(view);
    view.disposed.connect(() => this._forget(view));
    return view;
  }

  /** Close an editor. The last editor of a file saves it first; text that can't be saved stays as a draft. */
  private async _close(editor: Editor): Promise<void> {
    const { file } = editor;
    if (this._editors(file.path).length === 1) {
      file.keepDraft(false);
      await file.save();
    }
    editor.dispose();
  }

  private _compare(file: FileModel): void {
    const { files, dock, trans, registry } = this._options;
    const read = async (): Promise<string> => (await files.read(file.path)).text;
    const compare = new Compare(this.texts.get(file.path), read, trans);
    compare.title.icon = iconOf(registry, nameOf(file.path));
    dock.addWidget(compare, this._active ? { mode: 'tab-after', ref: this._active } : {});
    dock.selectWidget(compare);
  }

  private _editors(path: string): Widget[] {
    return [...this._views].filter(view => view instanceof Editor && pathOf(view) === path);
  }

  private _remove(view: Widget): void {
    this._keepPlace(view);
    view.dispose();
  }

  /** A view is gone. The document of a file is closed with its last editor. */
  private _forget(view: Widget): void {
    this._views.delete(view);
    const path = pathOf(view);
    if (view instanceof Editor && !this._editors(path).length) {
      this.texts.close(path);
    }
    if (this._active === view) {
      this._active = [...this._views].filter(other => other.isVisible).at(-1) ?? null;
    }
    this._changed.emit();
  }

  private _keepPlace(view: Widget): void {
    if (view instanceof Editor && view.place) {
      this._places.delete(view.file.path); // so that the newest is last
      this._places.set(view.file.path, view.place);
    }
  }

  private _onShown(view: Widget): void {
    if (this._active !== view && !view.isDisposed) {
      this._active = view;
      this._changed.emit();
    }
  }

  private _settings: ISettings;
  private readonly _views = new Set<Widget>();
  private readonly _places = new Map<string, IPlace>();
  private _active: Widget | null = null;
  private readonly _moved = new Signal<this, void>(this);
  private readonly _changed = new Signal<this, void>(this);
}

const MAX_PLACES = 50;
