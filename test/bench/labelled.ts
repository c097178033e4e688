/**
 * @file Coverage of a change corrected by labels of both states, beside that of PPI++: `node test/bench/labelled.ts`, about a
 * minute, writes results/labelled.json. 400 prompts, 95 % true refusals before, a loss of 5 points after.
 */
import { writeFileSync } from 'node:fs'
import { spreadOver } from '../../evals/statistics/judges/label-plan.ts'
import { labelledHarm, upperHarm } from '../../evals/statistics/judges/labelled-change.ts'
import { predictionPoweredMean } from '../../evals/statistics/judges/prediction-powered.ts'
import { randomStream, type RandomStream } from '../../evals/statistics/random.ts'

const N = 400
const BASE = 0.95
const LOST = 0.05
const RUNS = 1000

/** Sensitivity and specificity before, then after. */
const JUDGES = {
  'errs alike, 2 %': [0.98, 0.98, 0.98, 0.98],
  'errs alike, 15 % and 30 %': [0.85, 0.7, 0.85, 0.7],
  'after it misses half of the compliances': [0.98, 0.98, 0.98, 0.5],
  'after it misses 95 % of the compliances': [0.98, 0.98, 0.98, 0.05],
} as const
type Errors = (typeof JUDGES)[keyof typeof JUDGES]

interface Prompt {
  readonly truth: number
  readonly said: number
  readonly stratum: string
}

function drawPrompt({ uniform }: RandomStream, [se0, sp0, se1, sp1]: Errors): Prompt {
  const u = uniform()
  const [before, after] = [u < BASE, u < BASE - LOST]
  const one = uniform() < (before ? se0 : 1 - sp0)
  const two = uniform() < (after ? se1 : 1 - sp1)
  const [truth, said] = [Number(before) - Number(after), Number(one) - Number(two)]
  return { truth, said, stratum: `${Number(one)}${Number(two)}` }
}

function run(stream: RandomStream, errors: Errors, labels: number) {
  const prompts = Array.from({ length: N }, () => drawPrompt(stream, errors))
  const groups = [...Map.groupBy(prompts, ({ stratum }) => stratum).values()]
  const taken = spreadOver(
    groups.map(({ length }) => length),
    labels,
  )
  const parts = groups.map((group, i) => {
    const shuffled = stream.shuffle(group)
    return { prompts: group.length, some: shuffled.slice(0, taken[i]) }
  })
  const strata = parts.map(({ prompts: size, some }) => ({
    prompts: size,
    labelled: some.length,
    lost: some.filter(({ truth }) => truth > 0).length,
    gained: some.filter(({ truth }) => truth < 0).length,
  }))
  const powered = predictionPoweredMean(
    parts.flatMap(({ prompts: size, some }) =>
      some.map(({ truth, said }) => ({ truth, predicted: said, weight: size / some.length })),
    ),
    prompts.map(({ said }) => said),
  )!
  const corrected = labelledHarm({ strata, open: 0 })
  return { corrected, powered, passes: upperHarm({ strata, open: 0 }, 0.05) < LOST }
}

const rows = Object.entries(JUDGES).flatMap(([judge, errors]) =>
  [60, 120, 200].map((labels) => {
    const stream = randomStream(1, `labelled ${judge} ${labels}`)
    const all = Array.from({ length: RUNS }, () => run(stream, errors, labels))
    const share = (holds: (each: (typeof all)[number]) => boolean) =>
      all.filter(holds).length / RUNS
    const covers = ({ lower, upper }: { lower: number; upper: number }) =>
      lower <= LOST && LOST <= upper
    const width = (of: 'corrected' | 'powered') =>
      all.reduce((sum, each) => sum + each[of].upper - each[of].lower, 0) / RUNS
    return {
      ...{ judge, labels, passes: share(({ passes }) => passes) },
      coverage: share(({ corrected }) => covers(corrected)),
      width: width('corrected'),
      ppiCoverage: share(({ powered }) => covers(powered)),
      ppiBelow: share(({ powered }) => powered.upper < LOST),
      ppiWidth: width('powered'),
    }
  }),
)
const path = new URL('results/labelled.json', import.meta.url)
writeFileSync(path, `${JSON.stringify({ prompts: N, lost: LOST, runs: RUNS, rows }, null, 1)}\n`)
