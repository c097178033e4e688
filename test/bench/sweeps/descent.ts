/**
 * @file Double descent on the digits: runs prepared sweeps, or goes on with them, and writes what each found to
 * test/bench/results and its figures to docs/images.
 *
 *     node test/bench/sweeps/descent.ts [OUT [PRESET…]]
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Results } from '../../../evals/contract/results.ts'
import { PRESET_NAMES } from '../../../evals/sweeps/preset-names.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const [out = join(root, 'out', 'descent'), ...named] = process.argv.slice(2)
const digits = PRESET_NAMES.filter((name) => name.startsWith('double-descent-digits'))

for (const preset of named.length > 0 ? named : digits) {
  const folder = join(out, preset)
  const picture = join(root, 'docs', 'images', `${preset}.svg`)
  const argv = ['sweep', '--preset', preset, '--out-dir', folder, '-o', picture]
  const cli = join(root, 'evals', 'bin', 'cli.ts')
  const { status } = spawnSync(process.execPath, [cli, ...argv], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${preset} ended with ${status}`)
  const { sweep } = Results.parse(
    JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as unknown,
  )
  const { axes, cells, summaries, descents, thresholds, sight } = sweep!
  const seconds = cells.reduce((sum, cell) => sum + cell.seconds, 0)
  const tests = descents.map(({ power: _, without: __, ...row }) => row)
  const command = `touchstone sweep --preset ${preset}`
  const found = { command, seconds, axes, summaries, descents: tests, thresholds, sight }
  const file = join(root, 'test', 'bench', 'results', `${preset}.json`)
  writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`)
}
