/** @file Where the `touchstone` process begins: the command line on this process' streams. */
import { COMMANDS } from '../cli/verbs/registry.ts'
import { main } from '../cli/main.ts'
import type { CommandEntry } from '../cli/command.ts'

const GRACE_MS = 5000

// The reader went away (`touchstone ls | head -1`); 128 + SIGPIPE, as other programs end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(141)
  throw error
})

/** Above every room that commands live in. */
const SERVE: CommandEntry = {
  name: 'serve',
  summary: 'Show the workbench in a browser on this machine',
  load: async () => (await import('../hosts/serve.ts')).serve,
}

const { stdout, stderr, env: environment } = process
process.exitCode = await main(process.argv.slice(2), [...COMMANDS, SERVE], {
  stdout,
  stderr,
  environment,
})
// A thread that somebody forgot must not keep a finished command waiting.
setTimeout(() => process.exit(), GRACE_MS).unref()
