/** @file The command line: picks the verb, and turns whatever it throws into words and an exit code. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { findNamed } from '../errors/names.ts'
import { toWireError } from '../errors/wire.ts'
import { plainText } from '../document/plain-text.ts'
import type { CommandEntry, Io } from './command.ts'
import { EXIT } from '../runs/options/exit-codes.ts'
import { reportFailure } from './failure.ts'
import { commandHelp, generalHelp } from './help.ts'
import { version } from '../runs/version.ts'

const HELP: ReadonlySet<string> = new Set(['--help', '-h', 'help'])

export async function main(
  argv: readonly string[],
  commands: readonly CommandEntry[],
  io: Io,
): Promise<number> {
  try {
    return await dispatch(argv, commands, io)
  } catch (error) {
    const failure = toWireError(error)
    reportFailure(failure, isJson(argv, io), io)
    if (!(error instanceof TouchstoneError)) debug(error, io)
    return failure.code.startsWith('usage.') ? EXIT.usage : EXIT.error
  }
}

async function dispatch(
  [verb, ...rest]: readonly string[],
  commands: readonly CommandEntry[],
  io: Io,
): Promise<number> {
  if (verb === '--version' || verb === '-V') {
    io.stdout.write(`${version()}\n`)
    return EXIT.ok
  }
  const isHelp = verb === undefined || HELP.has(verb)
  const name = isHelp ? rest[0] : verb
  if (name === undefined || (isHelp && name.startsWith('-'))) {
    io.stdout.write(generalHelp(commands, version()))
    return EXIT.ok
  }
  const entry = findNamed('verb', commands, name)
  const command = await entry.load()
  if (isHelp || rest.some((word) => word === '--help' || word === '-h')) {
    io.stdout.write(commandHelp(entry, command))
    return EXIT.ok
  }
  return command.run(rest, io)
}

/** Read before anything is parsed: a command that cannot be parsed must fail in the form that was asked for. */
const isJson = (argv: readonly string[], { environment }: Io): boolean =>
  argv.includes('--json') || ['1', 'true', 'yes'].includes(environment['TOUCHSTONE_JSON'] ?? '')

function debug(error: unknown, { stderr, environment }: Io): void {
  if (!environment['TOUCHSTONE_DEBUG'] || !(error instanceof Error)) return
  const lines = (error.stack ?? '').split('\n').map((line) => `${plainText(line)}\n`)
  stderr.write(lines.join(''))
}
