/**
 * @file `npm run bench:start -- --installed FOLDER`: seconds of the clock and of the processor until a command has ended, of the package installed in FOLDER and of this
 * clone, in turns. Prints one JSON object. `--node PROGRAM` starts both, as a user's own Node does.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median } from '../../../evals/statistics/median.ts'
import { parse, usage, wholeNumber } from '../harness/bench-options.ts'
import { machine } from '../harness/machine.ts'

const { installed, runs, node } = parse({
  installed: { type: 'string' },
  runs: { type: 'string', default: '9' },
  node: { type: 'string', default: 'node' },
})
if (installed === undefined) usage('Name the folder that it is installed in: --installed FOLDER.')

const ROOT = join(import.meta.dirname, '..', '..', '..')
const SIDES = {
  installed: join(resolve(installed), 'node_modules', 'touchstone'),
  clone: ROOT,
}
const WORKS: Readonly<Record<string, readonly string[]>> = {
  help: ['--help'],
  evaluation: ['eval', '--model', 'pebble', '--limit', '1', '--quiet'],
}

interface Spent {
  /** Seconds by the clock. */
  readonly clock: number
  /** Seconds of the processor, of every process that took part: what a busy machine moves least. */
  readonly processor: number
}

function spent(root: string, words: readonly string[]): Spent {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-start-'))
  const command = [node, join(root, 'evals', 'bin', 'touchstone.js'), ...words]
  const timed = ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bash', ...command]
  const { status, stderr } = spawnSync('bash', timed, { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`)
  const [clock, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { clock: clock!, processor: user! + system! }
}

type Pair = Readonly<Record<keyof typeof SIDES, Spent>>

function spread(pairs: readonly Pair[], unit: keyof Spent) {
  const of = (side: keyof typeof SIDES) => {
    const values = pairs.map((pair) => pair[side][unit])
    return { median: median(values), least: Math.min(...values) }
  }
  // A load that lasts longer than a pair does not move the ratio.
  const ratio = median(pairs.map(({ installed: ours, clone }) => ours[unit] / clone[unit]))
  return { installed: of('installed'), clone: of('clone'), ratio }
}

const results = Object.entries(WORKS).map(([work, words]) => {
  // Once each for the compile cache.
  for (const root of Object.values(SIDES)) spent(root, words)
  const pairs = Array.from({ length: wholeNumber('runs', runs, 1, 99) }, () => ({
    installed: spent(SIDES.installed, words),
    clone: spent(SIDES.clone, words),
  }))
  return { work, clock: spread(pairs, 'clock'), processor: spread(pairs, 'processor') }
})
const outer = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
const date = new Date().toISOString().slice(0, 10)
process.stdout.write(
  `${JSON.stringify({ date, startedBy: outer, machine: machine(), results }, null, 2)}\n`,
)
