/** @file Entry of the `touchstone` process: the command line on this process' streams. */
import { COMMANDS } from '../cli/verbs/registry.ts'
import { main } from '../cli/main.ts'
import type { CommandEntry } from '../cli/command.ts'

const GRACE_MS = 5000

// The reader closed the pipe (`touchstone ls | head -1`): exit with 128 + SIGPIPE, as other programs do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(141)
  throw error
})

/** Not in the registry of verbs, because no other verb may import hosts. */
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
// A thread that was left running must not delay a finished command.
setTimeout(() => process.exit(), GRACE_MS).unref()
