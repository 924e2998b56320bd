/** The person's settings, as `schema/open.json` describes them. */

export interface ISettings {
  autoSave: boolean;
  /** Pixels; 0: JupyterLab's own. */
  fontSize: number;
  /** Empty: JupyterLab's own. */
  fontFamily: string;
  wordWrap: boolean;
  /** Columns of a tab and of an indent. The indentation found in a file takes precedence. */
  tabSize: number;
  insertSpaces: boolean;
  lineNumbers: boolean;
  minimap: boolean;
  /** Ctrl+V pastes in terminals; without effect on a Mac. */
  pasteWithCtrlV: boolean;
  /** Let a screen reader read the output of terminals. */
  screenReader: boolean;
}

export const DEFAULTS: ISettings = {
  autoSave: true,
  fontSize: 0,
  fontFamily: '',
  wordWrap: false,
  tabSize: 4,
  insertSpaces: true,
  lineNumbers: true,
  minimap: false,
  pasteWithCtrlV: true,
  screenReader: false
};

/** Reads the settings that JupyterLab's settings editor wrote. A value of another type is replaced by the default. */
export function parseSettings(composite: Readonly<Record<string, unknown>>): ISettings {
  const settings: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    if (typeof composite[name] === typeof standard) {
      settings[name] = composite[name];
    }
  }
  return settings as unknown as ISettings;
}
