/** Ids of our commands. */

export const Commands = {
  create: 'jupyter-repl:create',
  open: 'jupyter-repl:open',
  run: 'jupyter-repl:run',
  stopRun: 'jupyter-repl:stop-run',
  newTerminal: 'jupyter-repl:new-terminal',
  save: 'jupyter-repl:save',
  togglePower: 'jupyter-repl:toggle-power'
} as const;

/** The palette's category, and the launcher's section. */
export const CATEGORY = 'REPL';
