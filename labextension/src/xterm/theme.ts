/** JupyterLab's theme as xterm's. */

import type { ITheme } from '@xterm/xterm';
import { cssColor, isLight } from '../theme/colors';

/** Replace those of xterm's colours that have a contrast below 4.5 on JupyterLab's backgrounds. */
const DARK: ITheme = {
  red: '#f14c4c',
  blue: '#5c9ded',
  magenta: '#c586c0',
  brightBlack: '#8a8f98',
  brightRed: '#ff7b72'
};
const LIGHT: ITheme = {
  black: '#24292f',
  red: '#b31d28',
  green: '#176f2c',
  yellow: '#735c0f',
  blue: '#0550ae',
  magenta: '#6639ba',
  cyan: '#106371',
  white: '#57606a',
  brightBlack: '#57606a',
  brightRed: '#a40e26',
  brightGreen: '#1a7f37',
  brightYellow: '#7a5900',
  brightBlue: '#0969da',
  brightMagenta: '#8250df',
  brightCyan: '#1b7c83',
  brightWhite: '#424a53'
};

export function xtermTheme(): ITheme {
  const background = cssColor('--jp-layout-color0');
  const foreground = cssColor('--jp-content-font-color1');
  return {
    ...(isLight() ? LIGHT : DARK),
    background,
    foreground,
    cursor: foreground,
    cursorAccent: background,
    selectionBackground: cssColor('--jp-editor-selected-focused-background')
  };
}
