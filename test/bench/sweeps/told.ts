/**
 * @file Times that `sweep --dry-run` tells beside those taken, both in processor time and for one cell at a time, so that other work
 * on the machine counts in neither: prints a table.
 *
 *     node test/bench/sweeps/told.ts [NAME…]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const CLI = join(root, 'evals', 'bin', 'cli.ts')
/** The clock of a process, for what is told. */
const CLOCK = join(import.meta.dirname, 'processor-clock.ts')

const ONE = ['--seeds', '4']
const rank = (value: number) => ['--preset', 'pebble-noise', '--axis', `rank=${value}`, ...ONE]
/** Presets, or few cells of those that take long. */
const SWEEPS: Readonly<Record<string, readonly string[]>> = {
  rf: ['--preset', 'double-descent-rf'],
  samples: ['--preset', 'double-descent-digits-samples', '--seeds', '0..9'],
  'pebble-1': rank(1),
  'pebble-16': rank(16),
  'pebble-64': rank(64),
  'pebble-256': rank(256),
}

/** Seconds of processor time of a command and what it started, and what it printed. */
function timed(argv: readonly string[]) {
  const script = '"$@"; code=$?; times; exit $code'
  const shell = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...argv], {
    encoding: 'utf8',
  })
  if (shell.status !== 0) throw new Error(`${argv.join(' ')}: ${shell.stderr}`)
  const [user, system] = shell.stdout.trim().split('\n').at(-1)!.split(' ').map(secondsIn)
  return { seconds: user! + system!, text: shell.stdout }
}

/** "1m2.345s", "1 min 2 s", "40 s" */
function secondsIn(text: string): number {
  const [, minutes = '0', seconds = '0'] = /(?:(\d+) ?m(?:in)? ?)?(?:([\d.]+) ?s)?/u.exec(text)!
  return 60 * Number(minutes) + Number(seconds)
}

const asked = process.argv.slice(2)
const print = (line: string) => process.stdout.write(`${line}\n`)
print('| Sweep | told, s | taken, s | taken / told |\n| --- | --- | --- | --- |')
for (const [name, argv] of Object.entries(SWEEPS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const words = ['sweep', ...argv, '--jobs', '1']
  const plan = timed(['--import', CLOCK, CLI, ...words, '--dry-run']).text
  const told = secondsIn(/^About (.*) in all/mu.exec(plan)![1]!)
  const out = mkdtempSync(join(tmpdir(), 'touchstone-told-'))
  const taken = timed([CLI, ...words, '--exit-zero', '--quiet', '--out-dir', out]).seconds
  const cells = [told, taken.toFixed(1), (taken / told).toFixed(2)]
  print(`| \`${argv.join(' ')}\` | ${cells.join(' | ')} |`)
}
