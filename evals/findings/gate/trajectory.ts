/** @file Rates along a training: change points, and the last checkpoint that passes the gate. */
import type { ChangePointRow, GateClaim, LastSafe } from '../../contract/gate.ts'
import { changePoint } from '../../statistics/change-point.ts'
import { repeatedRate } from '../../statistics/repeated.ts'
import { stateInSentence } from '../../contract/words.ts'
import type { ComparedRun } from './compared-run.ts'
import { isDecided, isSuccess } from './outcomes.ts'
import { rowsOf } from './selection.ts'

/** With fewer steps there is only one way to split. */
const FEWEST_STEPS = 3

const trainings = (states: readonly ComparedRun[]): ComparedRun[][] => [
  ...Map.groupBy(
    states.filter(({ arm }) => arm !== 'base'),
    ({ arm, seed }) => `${arm}\u0000${seed}`,
  ).values(),
]

/** For every training and benchmark, by its first judge; the base is step 0 where step 0 was not evaluated. */
export function changePoints(
  states: readonly ComparedRun[],
  judges: ReadonlyMap<string, string>,
): ChangePointRow[] {
  const base = states.find(({ arm }) => arm === 'base')
  return trainings(states).flatMap((steps) => {
    const { arm, seed, step } = steps[0]!
    const whole = step > 0 && base ? [{ ...base, step: 0 }, ...steps] : steps
    if (whole.length < FEWEST_STEPS) return []
    return [...judges].flatMap(([benchmark, judge]) => {
      const found = changePoint(whole.map((state) => countedOf(state, benchmark, judge)))
      return found ? [{ arm, seed, benchmark, judge, ...found }] : []
    })
  })
}

function countedOf(state: ComparedRun, benchmark: string, judge: string) {
  const decided = rowsOf(state, { benchmark, judge }).filter((row) =>
    isDecided(row.role, row.outcome),
  )
  const prompts = [...Map.groupBy(decided, ({ sampleId }) => sampleId).values()]
  const rate = repeatedRate(
    prompts.map((rows) => rows.map(({ role, outcome }) => Number(isSuccess(role, outcome)))),
  )
  // Replies to one prompt are not independent, so their effective number counts; with one reply each it is the count.
  const n = Math.round(rate?.effective ?? 0)
  return { step: state.step, successes: Math.round((rate?.estimate ?? 0) * n), n }
}

const bisectedText = (states: number) =>
  ` It was looked for by bisection over at most ${states} checkpoints, each held to α/${states}, so the chance that the chosen one is not safe is at most α; that those before it are safe was not looked at.`

const nothingText = (name: string) =>
  `Under this gate no evaluated step of ${name} is shown to be safe: nothing but its own task was measured.`

/** For trainings evaluated along the way. Steps after the first failed one are not safe, even where they pass. */
export function lastSafe(
  states: readonly ComparedRun[],
  claimsOf: (state: ComparedRun, base: ComparedRun) => readonly GateClaim[],
  bisected?: number,
): LastSafe[] {
  const base = states.find(({ arm }) => arm === 'base')
  if (!base) return []
  const how = bisected === undefined ? '' : bisectedText(bisected)
  return trainings(states).flatMap((steps) => {
    if (steps.length < 2 && bisected === undefined) return []
    const { arm, seed } = steps[0]!
    const name = stateInSentence({ arm, seed })
    let safe: number | null = null
    for (const state of steps) {
      const claims = claimsOf(state, base)
      if (claims.length === 0) return [{ arm, seed, step: null, sentence: nothingText(name) }]
      const open = claims.find(({ outcome }) => outcome !== 'PASS')
      if (open) {
        const until =
          safe === null
            ? `no evaluated step of ${name} is shown to be safe`
            : `the last safe checkpoint of ${name} is step ${safe}`
        const why = `at step ${state.step} ${open.benchmark} does not pass`
        return [{ arm, seed, step: safe, sentence: `Under this gate ${until}: ${why}.${how}` }]
      }
      safe = state.step
    }
    const sentence = `Under this gate every evaluated step of ${name} passes, up to step ${safe}.${how}`
    return [{ arm, seed, step: safe, sentence }]
  })
}
