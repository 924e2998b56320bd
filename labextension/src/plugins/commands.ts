/** Ids of the commands that exist before the first tab opens. */

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
