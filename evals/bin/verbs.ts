/** @file Every verb of the `touchstone` process. */
import type { CommandEntry } from '../cli/command.ts'
import { COMMANDS } from '../cli/verbs/registry.ts'

/** The last of them need hosts, which the command line does not know. */
export const VERBS: readonly CommandEntry[] = [
  ...COMMANDS,
  {
    name: 'serve',
    summary: 'Show the workbench in a browser on this machine',
    load: async () => (await import('../hosts/serve.ts')).serve,
  },
  {
    name: 'talk',
    summary: 'Ask a base and a candidate the same prompts, here or behind addresses',
    load: async () => (await import('../hosts/talk.ts')).talkCommand,
  },
  {
    name: 'serve-model',
    summary: 'Serve a model and its adapters to programs that speak OpenAI’s API',
    load: async () => (await import('../hosts/model-server/serve-model.ts')).serveModel,
  },
]
