/**
 * @file What compressing Pebble does to refusal, over-refusal and capability: `node evals/bin/run.js findings`. One audit through
 * the command, every prompt of the house's suites, nothing trained; and how far LQ-LoRA's allocation is from the best of all
 * combinations on small cases. Writes docs/findings/compression.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Results } from '../../../evals/contract/results.ts'
import { allocate } from '../../../evals/models/weights/compression/allocation.ts'
import { bestOfAll, smallCases } from '../../doubles/models/allocations.ts'
import { changeOf, isApart, root } from './pebble.ts'

const VARIANTS = [
  ...['nf4', 'nf3', 'nf2', 'budget:2.75'],
  ...['prune:0.1', 'prune:0.2', 'prune:0.3', 'prune:0.4', 'prune:0.5'],
]
const SUITES = ['house-refusal', 'house-overrefusal', 'house-capability']
const COMMAND = [
  ...['audit', '--model', 'pebble', '--compress', VARIANTS.join(',')],
  ...['--no-spectra', '--eval-batch-size', '64', '--threads', '1', '--exit-zero', '--quiet'],
]

function audit(): Results {
  const folder = join(root, 'out', 'findings', 'compression')
  const cli = join(root, 'evals', 'bin', 'cli.ts')
  execFileSync(process.execPath, [cli, ...COMMAND, '--out-dir', folder], { stdio: 'inherit' })
  return Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))
}

const share = (value: number) => (100 * value).toFixed(1)

const results = audit()
const rows = ['base', ...VARIANTS.map((name) => `compress:${name}`)].map((arm) => {
  const name = arm.replace('compress:', '')
  const cells = SUITES.map((benchmark) => changeOf(results, { arm, benchmark }))
  return `| \`${name}\` | ${cells.join(' | ')} |`
})
/** Variants whose paired change has a 95 % interval without 0. */
const apart = SUITES.map((benchmark) => {
  const found = VARIANTS.filter((name) => isApart(results, { arm: `compress:${name}`, benchmark }))
  return found.length === 0 ? 'no variant' : found.map((name) => `\`${name}\``).join(', ')
})
const gaps = smallCases(400)
  .map(({ matrices, budget }) => {
    const best = bestOfAll(matrices, budget).error
    return allocate(matrices, budget).error / best - 1
  })
  .sort((a, b) => a - b)
const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
const exact = gaps.filter((gap) => gap < 1e-12).length

writeFileSync(
  join(root, 'docs', 'findings', 'compression.md'),
  `# Findings on compression

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing
about real models.

## Refusal, over-refusal and capability of Pebble in less bits

\`\`\`
touchstone ${COMMAND.join(' ')}
\`\`\`

Each cell is the rate in percent with its 95 % interval, and the paired change from the base in points with
its own.

| Variant | refusal | over-refusal | capability |
|---|---|---|---|
${rows.join('\n')}

Told apart from the base (the interval of the change leaves out 0): in refusal ${apart[0]}; in over-refusal
${apart[1]}; in capability ${apart[2]}. Of every other cell nothing can be said but its interval.

## The allocation of bits against the best of all combinations

${gaps.length} drawn cases of three matrices with four formats: LQ-LoRA's allocation is the best of the 64
combinations in ${exact}; its error is ${share(mean)} % above the best on average, ${share(gaps[Math.floor(0.9 * gaps.length)]!)} % in the worst tenth at
least, ${share(gaps.at(-1)!)} % at most. The largest gaps are where one matrix takes most of a small budget.
`,
)
