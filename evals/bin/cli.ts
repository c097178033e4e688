/** @file Entry of the `touchstone` process: the command line on this process' streams. */
import { main } from '../cli/main.ts'
import { VERBS } from './verbs.ts'

const GRACE_MS = 5000

// The reader closed the pipe (`touchstone ls | head -1`): exit with 128 + SIGPIPE, as other programs do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(141)
  process.stderr.write(`The output cannot be written: ${error.message}.\n`)
  process.exit(1)
})
// Whoever read along has gone; what was asked for goes on.
process.stderr.on('error', () => undefined)

// The launcher is gone, however it ended. A job stops where it can be resumed; nothing goes on for nobody.
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(143), GRACE_MS).unref()
})
process.channel?.unref()

const { stdout, stderr, env: environment } = process
process.exitCode = await main(process.argv.slice(2), VERBS, {
  stdout,
  stderr,
  environment,
})
// A thread that was left running must not delay a finished command.
setTimeout(() => process.exit(), GRACE_MS).unref()
