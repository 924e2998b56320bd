/** The person's settings, as `schema/open.json` describes them. */

export interface ISettings {
  autoSave: boolean;
  /** Pixels; 0: JupyterLab's own. */
  fontSize: number;
  /** Empty: JupyterLab's own. */
  fontFamily: string;
  wordWrap: boolean;
  /** Columns of a tab, and of an indent; what a file itself shows goes first. */
  tabSize: number;
  insertSpaces: boolean;
  lineNumbers: boolean;
  minimap: boolean;
  /** In terminals, but not on a Mac. */
  pasteWithCtrlV: boolean;
  /** Read a terminal's output to a screen reader. */
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

/** Settings out of what JupyterLab's editor has written: values of another type are not taken. */
export function parseSettings(composite: Readonly<Record<string, unknown>>): ISettings {
  const settings: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    if (typeof composite[name] === typeof standard) {
      settings[name] = composite[name];
    }
  }
  return settings as unknown as ISettings;
}
