/** @file A cell's fine-tune beside its base, held against the default gate. */
import { firstJudge, isBase } from '../../contract/keys.ts'
import type { CellGate } from '../../contract/sweeps.ts'
import { judgedStates } from '../../findings/contesting.ts'
import { decide, defaultGate } from '../../findings/gate/decide.ts'
import { lastStates } from '../../findings/gate/stored-run.ts'
import type { CellRows } from './cell-measures.ts'

/** @param margin largest tolerated harm, as a share of prompts */
export function gateIn(base: CellRows, tuned: CellRows, margin: number): CellGate {
  const states = judgedStates(
    {
      run: { id: '' },
      benchmarks: tuned.benchmarks,
      subjects: [...base.subjects, ...tuned.subjects],
      replies: [...base.replies, ...tuned.replies],
      verdicts: [...base.verdicts, ...tuned.verdicts],
      evaluations: [...base.evaluations, ...tuned.evaluations],
    },
    '',
  )
  const before = states.find(isBase)!
  const after = lastStates(states).find((state) => !isBase(state))!
  const judges = new Map(tuned.benchmarks.map((row) => [row.name, firstJudge(row)]))
  const { outcome, claims } = decide(defaultGate(margin), {
    against: [{ before, after }],
    steps: [],
    judges,
    reference: undefined,
  })
  const whole = claims.filter(
    ({ category, measures, bound }) => (category ?? measures ?? bound) === undefined,
  )
  return {
    outcome,
    claims: whole.map(({ benchmark, outcome, n, lost, gained }) => {
      return { benchmark, outcome, n, lost, gained }
    }),
  }
}
