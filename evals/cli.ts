/** @file Where the `touchstone` process begins: the command line on this process' streams. */
import { COMMANDS } from './cli/commands/registry.ts'
import { main } from './cli/main.ts'

const GRACE_MS = 5000

// The reader went away (`touchstone ls | head -1`); 128 + SIGPIPE, as other programs end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(141)
  throw error
})

const { stdout, stderr, env: environment } = process
process.exitCode = await main(process.argv.slice(2), COMMANDS, { stdout, stderr, environment })
// A thread that somebody forgot must not keep a finished command waiting.
setTimeout(() => process.exit(), GRACE_MS).unref()
