/** @file Every verb of the `touchstone` process. */
import type { CommandEntry } from '../cli/command.ts'
import { COMMANDS } from '../cli/verbs/registry.ts'

/** `serve` and `serve-model` stand here: they need hosts, which the command line does not know. */
export const VERBS: readonly CommandEntry[] = [
  ...COMMANDS,
  {
    name: 'serve',
    summary: 'Show the workbench in a browser on this machine',
    load: async () => (await import('../hosts/serve.ts')).serve,
  },
  {
    name: 'serve-model',
    summary: 'Serve a model and its adapters to programs that speak OpenAI’s API',
    load: async () => (await import('../hosts/model-server/serve-model.ts')).serveModel,
  },
]
