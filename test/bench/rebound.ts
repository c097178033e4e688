/**
 * @file False alarms and power of the label "loss rebound", for docs/methods/double-descent.md: `node test/bench/rebound.ts`.
 * Flags: --seeds 400, --out FILE.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { CURVES, NOISES, labelShares, type Draws } from './rebound-draws.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    out: { type: 'string', default: 'test/bench/results/rebound.json' },
  },
})
const seeds = Number(values.seeds)
const STEPS = [40, 100, 300]
const curves = Object.keys(CURVES) as Draws['curve'][]

const rows = curves.flatMap((curve) =>
  Object.keys(NOISES).flatMap((noise) =>
    STEPS.map((steps) => ({ curve, noise, steps, ...labelShares({ curve, noise, steps, seeds }) })),
  ),
)
await writeFile(values.out, `${JSON.stringify({ seeds, rows }, null, 1)}\n`)

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const line = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
line(['Expected loss', 'Noise', ...STEPS.map((n) => `${n} steps`)])
line(['---', '---', ...STEPS.map(() => '---')])
for (const [, group] of Map.groupBy(rows, ({ curve, noise }) => `${curve} ${noise}`)) {
  const { curve, noise } = group[0]!
  line([curve, noise, ...group.map(({ R, label }) => `${percent(R)} → ${percent(label)}`)])
}
