/** JupyterLab's colours as values: Monaco and xterm draw on their own and can't use CSS variables. */

/** A `--jp-*` colour as #rrggbb or #rrggbbaa; black if the theme has no such variable. */
export function cssColor(variable: string): string {
  const value = getComputedStyle(document.body).getPropertyValue(variable).trim();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = value || '#000000';
  const color = context.fillStyle; // names, rgb() and hsl() come out as #rrggbb or rgba()
  if (color.startsWith('#')) {
    return color;
  }
  const [red, green, blue, alpha] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return '#' + [red, green, blue, alpha * 255].map(part => hex(part)).join('');
}

export function isLight(): boolean {
  return document.body.dataset.jpThemeLight !== 'false';
}

function hex(part: number): string {
  return Math.round(part).toString(16).padStart(2, '0');
}
