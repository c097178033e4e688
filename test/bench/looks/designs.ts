/**
 * @file Stopping rules beside those of `--sequential`: what other spending functions, more looks and earlier futility would save, and
 * what they would cost, for docs/evidence.md. Looks' levels are those of a Brownian motion, ends are exact by the paired table.
 *
 *     node test/bench/looks/designs.ts --prompts 400 --gained 0.01 --spending power-3 --looks 20 --futility 0.05,1
 *
 * One line of JSON; `test/bench/results/sequential-designs.jsonl` has the lines of docs/evidence.md. `--futility` is the chance below
 * which it stops and by how many standard errors the change may be better than it was seen. power-N spends α·t^N (Kim and DeMets,
 * Biometrika 74 (1987)).
 */
import { parseArgs } from 'node:util'
import { normalLowerTail, normalQuantile } from '../../../evals/statistics/normal.ts'
import { tangoScore } from '../../../evals/statistics/paired/non-inferiority.ts'
import { nonInferiorityPower } from '../../../evals/statistics/paired/power.ts'
import { nominalLevels } from '../../../evals/statistics/sequential/nominal-levels.ts'
import { carriedTable } from '../../../evals/statistics/sequential/paired-table.ts'
import { spentBy, type Spending } from '../../../evals/statistics/sequential/spending.ts'

const MARGIN = 0.05
const ALPHA = 0.05
const HARMS = [0, 0.5, 1, 2]
const NEAREST = 1e-12

const { values } = parseArgs({
  options: {
    prompts: { type: 'string', default: '400' },
    gained: { type: 'string', default: '0.01' },
    spending: { type: 'string', default: 'obrien-fleming' },
    looks: { type: 'string', default: '10' },
    futility: { type: 'string', default: '0.05,1' },
  },
})
const [prompts, gained, looks] = [values.prompts, values.gained, values.looks].map(Number)
const [futility, optimism] = values.futility.split(',').map(Number)
const sizes = Array.from({ length: looks! }, (_, k) => Math.ceil(((k + 1) * prompts!) / looks!))
const fractions = sizes.map((size) => size / prompts!)
const power = /^power-(?<by>[\d.]+)$/u.exec(values.spending)?.groups!['by']
const spent = power
  ? fractions.map((t) => ALPHA * t ** Number(power))
  : spentBy(values.spending as Spending, fractions, ALPHA)
const bounds = nominalLevels(fractions, spent).map((level) =>
  level > 0 ? normalQuantile(level) : -Infinity,
)

/** As evals/statistics/sequential/futility.ts, with another optimism. */
function chance(p: number, t: number): number {
  const z = -normalQuantile(Math.min(1 - NEAREST, Math.max(NEAREST, p)))
  const rest = 1 - t
  const mean = z * Math.sqrt(t) + ((z + optimism!) / Math.sqrt(t)) * rest
  return normalLowerTail((mean + bounds.at(-1)!) / Math.sqrt(rest))
}

function endsAt(harm: number) {
  const change = { lost: gained! + harm * MARGIN, gained: gained! }
  const table = carriedTable(prompts!, change)
  const found = { pass: 0, fail: 0, asked: 0 }
  for (const [k, n] of sizes.entries()) {
    table.advance(n)
    table.stopWhere((lost, won, probability) => {
      const score = tangoScore({ lost, gained: won, n }, MARGIN)
      const isLast = k === looks! - 1
      const isPass = score <= bounds[k]!
      const isFail = score >= -bounds[k]!
      const isOpen = [score, -score].some(
        (each) => chance(normalLowerTail(each), fractions[k]!) >= futility!,
      )
      if (!isLast && !isPass && !isFail && isOpen) return false
      if (isPass) found.pass += probability
      if (isFail) found.fail += probability
      found.asked += (probability * n) / prompts!
      return true
    })
  }
  const once = nonInferiorityPower(prompts!, change, { margin: MARGIN, alpha: ALPHA })
  const round = (value: number) => Math.round(value * 1e4) / 1e4
  const { pass, fail, asked } = found
  return { harm, asked: round(asked), pass: round(pass), once: round(once), fail: round(fail) }
}

process.stdout.write(`${JSON.stringify({ ...values, harms: HARMS.map(endsAt) })}\n`)
