/**
 * @file `npm run bench:start -- --installed FOLDER`: seconds until a command has ended, of the package installed in FOLDER and of this
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

function seconds(root: string, words: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-start-'))
  const command = [join(root, 'evals', 'bin', 'touchstone.js'), ...words]
  const began = performance.now()
  const { status, stderr } = spawnSync(node, command, { cwd: folder, encoding: 'utf8' })
  const ended = performance.now()
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`)
  return (ended - began) / 1000
}

const spread = (values: readonly number[]) => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
})

const results = Object.entries(WORKS).map(([work, words]) => {
  // Once each for the compile cache.
  for (const root of Object.values(SIDES)) seconds(root, words)
  const pairs = Array.from({ length: wholeNumber('runs', runs, 1, 99) }, () => ({
    installed: seconds(SIDES.installed, words),
    clone: seconds(SIDES.clone, words),
  }))
  return {
    work,
    installed: spread(pairs.map((pair) => pair.installed)),
    clone: spread(pairs.map((pair) => pair.clone)),
    /** Medians of installed ÷ clone of a pair, which a load that lasts longer than a pair does not move. */
    ratio: median(pairs.map((pair) => pair.installed / pair.clone)),
  }
})
const outer = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
const date = new Date().toISOString().slice(0, 10)
process.stdout.write(
  `${JSON.stringify({ date, startedBy: outer, machine: machine(), results }, null, 2)}\n`,
)
