/** Converts the arrangement of a dock's tabs to JSON and back. The caller gives each widget a key. */

import type { ReadonlyJSONValue } from '@lumino/coreutils';
import type { DockLayout, DockPanel, Widget } from '@lumino/widgets';

export type PackedArea =
  | { type: 'tab'; widgets: ReadonlyJSONValue[]; current: number }
  | { type: 'split'; orientation: 'horizontal' | 'vertical'; children: PackedArea[]; sizes: number[] };

/** @param keyOf - returns null for a widget that is not to be saved */
export function packDock(
  dock: DockPanel,
  keyOf: (widget: Widget) => ReadonlyJSONValue | null
): PackedArea | null {
  const { main } = dock.saveLayout();
  return main ? pack(main, keyOf) : null;
}

/**
 * Restore the arrangement of a dock. A key for which `widgetOf` returns null is left out. Widgets of the dock that are
 * not in the arrangement stay in the dock.
 */
export function unpackDock(
  dock: DockPanel,
  packed: PackedArea,
  widgetOf: (key: ReadonlyJSONValue) => Widget | null
): void {
  const main = unpack(packed, widgetOf);
  if (main) {
    const others = [...dock.widgets()];
    dock.restoreLayout({ main });
    const shown = new Set(dock.widgets());
    others.filter(widget => !shown.has(widget)).forEach(widget => dock.addWidget(widget));
  }
}

function pack(
  area: DockLayout.AreaConfig,
  keyOf: (widget: Widget) => ReadonlyJSONValue | null
): PackedArea | null {
  if (area.type === 'tab-area') {
    const kept = area.widgets.filter(widget => keyOf(widget) !== null);
    const current = Math.max(0, kept.indexOf(area.widgets[area.currentIndex]));
    return kept.length ? { type: 'tab', widgets: kept.map(widget => keyOf(widget)!), current } : null;
  }
  const children: PackedArea[] = [];
  const sizes: number[] = [];
  area.children.forEach((child, index) => {
    const packed = pack(child, keyOf);
    if (packed) {
      children.push(packed);
      sizes.push(area.sizes[index]);
    }
  });
  const { orientation } = area;
  return children.length > 1 ? { type: 'split', orientation, children, sizes } : (children[0] ?? null);
}

function unpack(
  packed: PackedArea,
  widgetOf: (key: ReadonlyJSONValue) => Widget | null
): DockLayout.AreaConfig | null {
  if (packed.type === 'tab') {
    const found = packed.widgets.map(widgetOf);
    const widgets = found.filter(widget => widget !== null);
    const current = found[packed.current];
    const currentIndex = current ? widgets.indexOf(current) : 0;
    return widgets.length ? { type: 'tab-area', widgets, currentIndex } : null;
  }
  const children: DockLayout.AreaConfig[] = [];
  const sizes: number[] = [];
  packed.children.forEach((child, index) => {
    const area = unpack(child, widgetOf);
    if (area) {
      children.push(area);
      sizes.push(packed.sizes[index] ?? 1);
    }
  });
  const { orientation } = packed;
  return children.length > 1 ? { type: 'split-area', orientation, children, sizes } : (children[0] ?? null);
}
