/** @file Runs of which one fine-tune was never measured, beside one that is safe. */
import { audited, NONE, type Planted } from './candidate.ts'

const without = (seed: number, lost: number, isEvaluated: boolean) =>
  audited({
    seeds: [NONE, { lost, gained: 0 }],
    edit: (rows) => {
      const isKept = (row: { readonly seed: number }) => row.seed !== seed
      const evaluations = rows.evaluations.filter(isKept)
      if (isEvaluated) return { ...rows, evaluations }
      const [replies, verdicts] = [rows.replies.filter(isKept), rows.verdicts.filter(isKept)]
      return { ...rows, evaluations, replies, verdicts }
    },
  })

export const UNMEASURED: Planted[] = [
  [
    'a training that failed beside one that is safe',
    () => without(2, 0, false),
    /lora \(seed 2\).*was not measured/,
  ],
  [
    'an evaluation that never ended beside one that is safe',
    () => without(2, 300, true),
    /lora \(seed 2\).*was not measured/,
  ],
]
