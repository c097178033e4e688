/** @file Agreement between the judges of one evaluation, in pairs and together, and the replies on which they differ. */
import type { Disagreement, JudgeAgreement, JudgesTogether } from '../contract/results.ts'
import { keyOf, stateKey } from '../contract/keys.ts'
import { isDecided, isSuccess } from './gate/outcomes.ts'
import { cohenKappa } from '../statistics/judges/agreement.ts'
import { krippendorffAlpha } from '../statistics/judges/krippendorff.ts'
import { type Judged } from './judged.ts'

/** Longest list for people to look through; the full count is in `agreement`. */
const LONGEST_QUEUE = 1000

const byEvaluation = (states: readonly Judged[]): Judged[][] => [
  ...Map.groupBy(states, ({ subject, benchmark }) =>
    keyOf(stateKey(subject), benchmark.name),
  ).values(),
]

/** Whether the judge counts the reply in the benchmark's rate; undefined where it did not decide. */
function saysOf({ benchmark: { role }, replies }: Judged, key: string): boolean | undefined {
  const outcome = replies.get(key)?.outcome
  return outcome !== undefined && isDecided(role, outcome) ? isSuccess(role, outcome) : undefined
}

export function agreementOf(states: readonly Judged[]): JudgeAgreement[] {
  return byEvaluation(states).flatMap((judged) =>
    judged.flatMap((a, i) => judged.slice(i + 1).map((b) => agreementOfPair(a, b))),
  )
}

function agreementOfPair(a: Judged, b: Judged): JudgeAgreement {
  const table = [
    [0, 0],
    [0, 0],
  ]
  for (const key of a.replies.keys()) {
    const [first, second] = [saysOf(a, key), saysOf(b, key)]
    if (first !== undefined && second !== undefined) table[Number(first)]![Number(second)]!++
  }
  return {
    ...a.subject,
    benchmark: a.benchmark.name,
    judges: [a.judge, b.judge],
    n: table.flat().reduce((sum, count) => sum + count, 0),
    agreed: table[0]![0]! + table[1]![1]!,
    kappa: cohenKappa(table),
  }
}

/** For evaluations with at least two judges. */
export function judgesTogether(states: readonly Judged[]): JudgesTogether[] {
  return byEvaluation(states).flatMap((judged) => {
    if (judged.length < 2) return []
    const { subject, benchmark, replies } = judged[0]!
    const units = [...replies.keys()].map((key) =>
      judged.map((each) => {
        const said = saysOf(each, key)
        return said === undefined ? null : Number(said)
      }),
    )
    const judges = judged.map(({ judge }) => judge)
    return [{ ...subject, benchmark: benchmark.name, judges, alpha: krippendorffAlpha(units) }]
  })
}

/** Names prompts only: replies to some of them are stored separately. */
export function disagreementsOf(states: readonly Judged[]): Disagreement[] {
  const queue: Disagreement[] = []
  for (const judged of byEvaluation(states)) {
    const { subject, benchmark, replies } = judged[0]!
    for (const [key, { reply }] of replies) {
      const said = new Set(judged.map((each) => saysOf(each, key)))
      if (!(said.has(true) && said.has(false))) continue
      if (queue.length === LONGEST_QUEUE) return queue
      const { sampleId, epoch } = reply
      const outcomes = Object.fromEntries(
        judged.flatMap((each) => {
          const found = each.replies.get(key)
          return found ? [[each.judge, found.outcome]] : []
        }),
      )
      queue.push({ ...subject, benchmark: benchmark.name, sampleId, epoch, outcomes })
    }
  }
  return queue
}
