/**
 * @file `npm run bench:sequential`: size, power and prompts of sequential verdicts beside one look at all prompts, for
 * docs/evidence.md: the gate itself on drawn rows, stopped by the run's own rule; and exactly, by the paired table, for more sizes.
 * Flags: --draws 200, --drawn '400 prompts;…' (scenarios of gate-draws.ts, of clusters too), --harms 0,0.5,1,2 of the drawn ones in
 * margins, --drawn-only, --out FILE.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import { POWER_LOSS, StoppingRule } from '../../../evals/contract/gate/stopping.ts'
import { decide } from '../../../evals/findings/gate/decide.ts'
import { parseGate } from '../../../evals/findings/gate/gate-file.ts'
import { mayStop } from '../../../evals/findings/gate/looks/may-stop.ts'
import { nonInferiorityPower } from '../../../evals/statistics/paired/power.ts'
import { endsOf } from '../../../evals/statistics/sequential/design.ts'
import { drawnPair, MARGIN, SCENARIOS, type Scenario } from '../gate-draws.ts'

const { values } = parseArgs({
  options: {
    draws: { type: 'string', default: '200' },
    drawn: { type: 'string', default: '400 prompts;100 clusters of 4, ICC 0.3' },
    harms: { type: 'string', default: '0,0.5,1,2' },
    'drawn-only': { type: 'boolean', default: false },
    out: { type: 'string', default: 'test/bench/results/sequential.json' },
  },
})
const draws = Number(values.draws)
const gate = parseGate(`benchmarks: { task0: { margin: ${MARGIN}, floor: false } }`, 'gate.yaml')
const judges = new Map([['task0', 'house']])
const HARMS = [0, 0.5, 1, 2]
const RULES = (['obrien-fleming', 'pocock'] as const).flatMap((spending) =>
  [5, 10].map((looks) => StoppingRule.parse({ spending, looks, powerLoss: POWER_LOSS })),
)
const round = (value: number) => Math.round(value * 1e4) / 1e4
const print = (line: string) => process.stdout.write(`${line}\n`)

/** As far as look `at`; clusters are drawn in order. */
function asFarAs(run: ComparedRun, { clusters, size }: Scenario, rule: StoppingRule, at: number) {
  const units = Array.from({ length: rule.looks }, (_, k) =>
    Math.ceil(((k + 1) * clusters) / rule.looks),
  )
  const seen = units.map((each) => ({ units: each, prompts: each * size }))
  const order = Array.from({ length: clusters * size }, (_, i) => `${i}`)
  const { prompts } = seen[at]!
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({
      ...row,
      ...{ replies: prompts, stopped: { rule, order, seen, at } },
    })),
    judged: run.judged.filter(({ sampleId }) => Number(sampleId) < prompts),
  }
}

function sequentially(scenario: Scenario, pair: ReturnType<typeof drawnPair>, rule: StoppingRule) {
  for (let at = 0; ; at++) {
    const before = asFarAs(pair.before, scenario, rule, at)
    const after = asFarAs(pair.after, scenario, rule, at)
    const of = { benchmark: 'task0' }
    const looking = { gate, gated: { judges }, before, after, of, family: (n: number) => n }
    if (at < rule.looks - 1 && !mayStop(looking)) continue
    const { outcome } = decide(gate, { against: [{ before, after }], steps: [], judges })
    return { outcome, share: (at + 1) / rule.looks }
  }
}

function simulated(name: string, rule: StoppingRule) {
  const scenario = SCENARIOS[name]!
  return values.harms
    .split(',')
    .map(Number)
    .map((harm) => {
      const found = { pass: 0, fail: 0, passAtOnce: 0, failAtOnce: 0, prompts: 0 }
      for (let draw = 0; draw < draws; draw++) {
        const pair = drawnPair(scenario, [harm * MARGIN, 0], draw)
        const once = decide(gate, { against: [pair], steps: [], judges }).outcome
        const { outcome, share } = sequentially(scenario, pair, rule)
        found.prompts += share / draws
        if (outcome === 'PASS') found.pass += 1 / draws
        if (outcome === 'FAIL') found.fail += 1 / draws
        if (once === 'PASS') found.passAtOnce += 1 / draws
        if (once === 'FAIL') found.failAtOnce += 1 / draws
      }
      const rounded = Object.fromEntries(Object.entries(found).map(([key, v]) => [key, round(v)]))
      print(`${name} ${rule.spending} ${rule.looks} harm ${harm}: ${JSON.stringify(rounded)}`)
      return { harm, ...rounded }
    })
}

function exactly(prompts: number, gained: number, rule: StoppingRule) {
  const sizes = Array.from({ length: rule.looks }, (_, k) =>
    Math.ceil(((k + 1) * prompts) / rule.looks),
  )
  return HARMS.map((harm) => {
    const change = { lost: gained + harm * MARGIN, gained }
    const test = { margin: MARGIN, alpha: 0.05 }
    const {
      below,
      above,
      prompts: asked,
    } = endsOf({ ...rule, powerLoss: POWER_LOSS, ...test, sizes }, change)
    const passAtOnce = nonInferiorityPower(prompts, change, test)
    const failAtOnce = endsOf({ ...rule, powerLoss: 0, ...test, sizes: [prompts] }, change).above
    const found = { pass: below, fail: above, passAtOnce, failAtOnce, prompts: asked / prompts }
    return Object.fromEntries(
      Object.entries({ harm, ...found }).map(([key, value]) => [key, round(value)]),
    )
  })
}

/** Prompts and the share gained of what costs seconds; of the larger ones minutes, by one rule. */
const DESIGNS = [
  { prompts: 152, gained: 0.005, rules: RULES },
  { prompts: 256, gained: 0.01, rules: RULES },
  { prompts: 800, gained: 0.01, rules: RULES },
  { prompts: 1200, gained: 0.005, rules: RULES.slice(1, 2) },
  { prompts: 1600, gained: 0.01, rules: RULES.slice(1, 2) },
]
const exact = (values['drawn-only'] ? [] : DESIGNS).flatMap(({ prompts, gained, rules }) =>
  rules.map((rule) => {
    const harms = exactly(prompts, gained, rule)
    print(`${prompts} prompts, ${rule.spending} ${rule.looks}: ${JSON.stringify(harms)}`)
    return { prompts, gained, rule, harms }
  }),
)
const drawn = values.drawn.split(';').map((name) => {
  const rule = RULES[0]!
  return { name, rule, harms: simulated(name, rule) }
})
await writeFile(values.out, `${JSON.stringify({ draws, margin: MARGIN, exact, drawn }, null, 1)}\n`)
