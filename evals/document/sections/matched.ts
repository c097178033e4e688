/** @file Methods at the same training loss: which state of each was compared, how far apart their losses are, and what differs. */
import type { Section } from '../../contract/document.ts'
import type { MatchedSeed, Results } from '../../contract/results.ts'
import { pValueText, stateName } from '../../contract/words.ts'
import { isSameState, firstJudge } from '../../contract/keys.ts'
import { label, number, paragraph, section, table, type Column } from '../blocks.ts'
import { byFirstJudge, changeWithInterval, fixed, shareText, titlesOf } from '../view.ts'

type State = MatchedSeed['arms'][number] & Pick<MatchedSeed, 'seed' | 'target'>
type Pair = MatchedSeed['pairs'][number]

export function matchedSection(results: Results): Section[] {
  const { matched } = results
  if (matched.length === 0) return []
  const states = matched.flatMap(({ seed, target, arms }) =>
    arms.map((arm): State => ({ ...arm, seed, target })),
  )
  const pairs = matched.flatMap((each) => each.pairs.filter(byFirstJudge(results)))
  const titleOf = titlesOf(results)
  return section(
    'At the same training loss',
    paragraph(
      'Methods that learn at different speeds are compared where they have learnt as much: at the first step at which a variant’s smoothed training loss (bias-corrected mean, 0.9) is at most the highest of the variants’ last ones, same data and seed. Every step counts; the third column says what is left of a difference.',
    ),
    table(states, [...trainingColumns, ...measuredColumns(results)], 'The checkpoints compared'),
    table<Pair>(
      pairs,
      [
        number('Seed', ({ seed }) => seed),
        label('From', ({ reference, referenceStep }) => `${reference}, step ${referenceStep}`),
        label('To', ({ arm, step }) => `${arm}, step ${step}`),
        label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
        number('Change', changeWithInterval),
        number('Exact p', ({ pValue }) => pValueText(pValue)),
        number('Pairs', ({ n }) => n),
      ],
      'On the same prompts: change from the first method to another, points with 95 % interval (Newcombe, paired)',
    ),
  )
}

/** The target is never passed upwards. */
const less = (nats: number) => (nats === 0 ? '0' : `−${nats.toFixed(4)}`)

const trainingColumns: Column<State>[] = [
  label('Method and seed', stateName),
  number('Step', ({ step, steps }) => `${step} of ${steps}`),
  number(
    'Loss − target',
    ({ loss, target }) => `${fixed(loss, 4)} − ${fixed(target, 4)} = ${less(target - loss)}`,
  ),
]

function measuredColumns(results: Results): Column<State>[] {
  const { benchmarks, evaluations, metrics, spectrumTotals } = results
  const rates = benchmarks.map((benchmark) =>
    number<State>(benchmark.title, (state) => {
      const found = evaluations
        .filter(isSameState(state))
        .find((row) => row.benchmark === benchmark.name && row.judge === firstJudge(benchmark))
      return shareText(found?.rate.estimate ?? null)
    }),
  )
  return [
    ...rates,
    number('Neutral loss', (state) => {
      const here = metrics.filter(isSameState(state))
      return fixed(here.find(({ name }) => name === 'neutral/loss')?.value, 3)
    }),
    number('Intruders', (state) => {
      const found = spectrumTotals.find(isSameState(state))
      return found ? `${found.intruders} of ${found.slots}` : '–'
    }),
  ]
}
