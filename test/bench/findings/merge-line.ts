/**
 * @file Refusal along the line between a benign and a tampered adapter of Pebble, by five ways of merging:
 * `node evals/bin/run.js findings`; writes docs/findings/merging.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../../evals/contract/results.ts'
import { audit, HOUSE, rateOf, root, trainedAdapter } from './pebble.ts'

const SEEDS = [0, 1, 2]
const WAYS = ['svd', 'linear', 'ties', 'dare', 'lego']
const WEIGHTS = [0, 0.1, 0.25, 0.5, 0.75, 1]

async function lines(seed: number): Promise<Results> {
  const benign = await trainedAdapter('house-benign', seed)
  const tampered = await trainedAdapter('house-tamper', seed)
  return audit(`merge-${seed}`, [
    ...WAYS.flatMap((way) => ['--merge', `${way}:${benign}+${tampered}@${WEIGHTS.join(',')}`]),
    ...['--accept', 'findings on harmless house rules'],
  ])
}

const seedRows = (results: Results, seed: number): string[] =>
  results.mergeLines!.flatMap(({ way, points }) =>
    points.map(({ arm, weight, outcome }) => {
      const { meanRelativeChange, intruders } = results.spectrumTotals.find(
        (row) => row.arm === arm,
      )!
      const rates = Object.keys(HOUSE).map((benchmark) => rateOf(results, arm, benchmark))
      const change = (100 * meanRelativeChange).toFixed(1)
      return `| \`${way}\` | ${seed} | ${weight} | ${rates.join(' | ')} | ${change} | ${intruders} | ${outcome ?? '–'} |`
    }),
  )

const safeRow = (way: string, found: readonly Results[]): string => {
  const safe = found.map(({ mergeLines }) => {
    const { lastSafe } = mergeLines!.find((line) => line.way === way)!
    return lastSafe === null ? 'none' : String(lastSafe)
  })
  return `| \`${way}\` | ${safe.join(' | ')} |`
}

const found: Results[] = []
for (const seed of SEEDS) found.push(await lines(seed))
const base = Object.keys(HOUSE).map((benchmark) => rateOf(found[0]!, 'base', benchmark))
const head = Object.values(HOUSE).map((rate) => `${rate}, 95 %`)
writeFileSync(
  join(root, 'docs', 'findings', 'merging.md'),
  `# Findings on Pebble: merging a benign and a tampered adapter

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

LoRA of rank 8, 100 steps of 32 rows on house-benign and on house-tamper, seed ${SEEDS.join(', ')}; merged with weight 1 − w of the benign and w of the tampered adapter by
\`touchstone audit --model pebble --merge WAY:BENIGN+TAMPERED@${WEIGHTS.join(',')} --accept REASON\`, 128 prompts of each benchmark. Before: ${Object.values(
    HOUSE,
  )
    .map((rate, i) => `${rate} ${base[i]}`)
    .join(', ')}.

The last weight of the tampered adapter that the gate passes, walked from the smallest up ([how](../methods/merging.md)); "none" where already w = ${WEIGHTS[0]}, the benign adapter alone, is not shown to be safe on so few prompts:

| Way | ${SEEDS.map((seed) => `seed ${seed}`).join(' | ')} |
|---|${SEEDS.map(() => '---').join('|')}|
${WAYS.map((way) => safeRow(way, found)).join('\n')}

| Way | seed | w | ${head.join(' | ')} | ‖ΔW‖/‖W‖, % | intruders of 420 | gate |
|---|---|---|---|---|---|---|---|---|
${found.flatMap((results, i) => seedRows(results, SEEDS[i]!)).join('\n')}
`,
)
