/** @file Runs of which one fine-tune was never measured, beside one that is safe. */
import { audited, NONE, type Planted } from '../candidate.ts'

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

/** What the job was to measure, where it measured one training to step 40. */
const planned = (states: readonly (readonly [arm: string, seed: number, step: number])[]) =>
  audited({
    seeds: [NONE],
    edit: (rows) => ({
      ...rows,
      planned: states.map(([arm, seed, step]) => ({ arm, seed, step })),
    }),
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
  [
    'a training that never began',
    () =>
      planned([
        ['lora', 1, 40],
        ['full', 1, 40],
      ]),
    /full \(seed 1\).*was not measured/,
  ],
  [
    'a seed that never began',
    () =>
      planned([
        ['lora', 1, 40],
        ['lora', 2, 40],
      ]),
    /seed 2/,
  ],
  ['a training that was stopped before its end', () => planned([['lora', 1, 80]]), /step 80/],
]

export const MEASURED: Planted[] = [['all that was planned', () => planned([['lora', 1, 40]])]]
