/** @file Every verb of the `touchstone` process. */
import type { CommandEntry } from '../cli/command.ts'
import { COMMANDS } from '../cli/verbs/registry.ts'

/** `serve` stands here: it needs the engine, which the command line does not know. */
export const VERBS: readonly CommandEntry[] = [
  ...COMMANDS,
  {
    name: 'serve',
    summary: 'Show the workbench in a browser on this machine',
    load: async () => (await import('../hosts/serve.ts')).serve,
  },
]
