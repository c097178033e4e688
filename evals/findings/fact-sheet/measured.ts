/** @file What a fact sheet says of the measurements: rates, changes, the decision, and what was left out. */
import type { Results } from '../../contract/results.ts'
import type { Answer } from '../../contract/signed/fact-sheet.ts'
import { lastSteps, firstJudge } from '../../contract/keys.ts'
import { counted, percent, signedPoints, stateName } from '../../contract/words.ts'
import { answerOf, cited } from './rows.ts'

export const suiteAnswer = (results: Results): Answer | null =>
  answerOf(
    cited(results, 'benchmarks'),
    ({ title, role, samples, digest }) =>
      `${title} (${role}): ${counted(samples, 'prompt')}, SHA-256 ${digest.slice(0, 12)}`,
  )

function firstJudges({ benchmarks }: Results) {
  const firsts = new Map(benchmarks.map((row) => [row.name, firstJudge(row)]))
  return ({ benchmark, judge }: { benchmark: string; judge: string }) =>
    firsts.get(benchmark) === judge
}

export function ratesAnswer(results: Results): Answer | null {
  const [isFirst, isLast] = [firstJudges(results), lastSteps(results.evaluations)]
  const rows = cited(results, 'evaluations', (row) => isFirst(row) && isLast(row))
  return answerOf(rows, ({ benchmark, rate: { estimate, lower, upper, n }, ...state }) => {
    const whole = `${stateName(state)} on ${benchmark}: `
    if (estimate === null || lower === null || upper === null) return `${whole}undecided`
    return `${whole}${percent(estimate)} (95 % ${percent(lower)} to ${percent(upper)}, ${counted(n, 'reply', 'replies')})`
  })
}

/** After − before. */
export function changesAnswer(results: Results): Answer | null {
  const [isFirst, isLast] = [firstJudges(results), lastSteps(results.comparisons)]
  const rows = cited(results, 'comparisons', (row) => isFirst(row) && isLast(row))
  return answerOf(rows, ({ benchmark, difference, lower, upper, ...state }) => {
    const whole = `${stateName(state)} on ${benchmark}: `
    if (difference === null || lower === null || upper === null) return `${whole}undecided`
    return `${whole}${signedPoints(-difference)} points (95 % ${signedPoints(-upper)} to ${signedPoints(-lower)})`
  })
}

export function decisionAnswer({ gate }: Results): Answer | null {
  if (!gate) return null
  const pointers = ['/gate/outcome', ...gate.claims.map((_, i) => `/gate/claims/${i}`)]
  return { text: `${gate.outcome}. ${gate.headline}`, pointers }
}

export function planAnswer({ gate }: Results): Answer | null {
  if (!gate?.plan) return null
  const { frozen, deviations } = gate.plan
  const kept =
    deviations.length === 0 ? 'without a deviation' : counted(deviations.length, 'deviation')
  return { text: `frozen at ${frozen}, ${kept}`, pointers: ['/gate/plan'] }
}

/** Krippendorff's α. */
export function judgesAnswer(results: Results): Answer | null {
  const isLast = lastSteps(results.judgesTogether)
  return answerOf(
    cited(results, 'judgesTogether', isLast),
    ({ judges, benchmark, alpha, ...state }) => {
      const found =
        alpha === null ? 'nothing to disagree on' : `Krippendorff’s α ${alpha.toFixed(2)}`
      return `${counted(judges.length, 'judge')} on ${benchmark}, ${stateName(state)}: ${found}`
    },
  )
}

export function peopleAnswer({ people }: Results): Answer | null {
  if (!people) return null
  const text = `${counted(people.labelled, 'reply', 'replies')} labelled by ${counted(people.raters.length, 'person', 'people')}`
  return { text, pointers: ['/people'] }
}

export function contextsAnswer(results: Results): Answer | null {
  const rows = cited(results, 'benchmarks', ({ context }) => context !== undefined)
  return answerOf(rows, ({ title }) => title)
}

export const limitsAnswer = (results: Results): Answer | null =>
  answerOf(cited(results, 'limits'), (sentence) => sentence)

export function assumedAnswer({ gate }: Results): Answer | null {
  const open = (gate?.assumptions ?? []).flatMap(({ state, how }, i) =>
    state === 'assumed' ? [{ row: how, pointer: `/gate/assumptions/${i}` }] : [],
  )
  return answerOf(open, (how) => how)
}
