/** Ids of the commands that are there before a tab is. */

export const Commands = {
  create: 'jupyter-repl:create',
  open: 'jupyter-repl:open',
  openAddress: 'jupyter-repl:open-address',
  manage: 'jupyter-repl:manage',
  browse: 'jupyter-repl:browse',
  import: 'jupyter-repl:import'
} as const;

/** The palette's category, and the launcher's section. */
export const CATEGORY = 'REPL';
