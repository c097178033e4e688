/** @file The whole change by λ: W0 + λ·ΔW (WiSE-FT, Wortsman et al. 2022, §3), towards the base as far as the task allows. */
import { z } from 'zod'
import { numberList } from './numbers.ts'
import type { Remedy } from './remedy.ts'
import { asFarAtRandom, changedWeights, scaled } from './weights.ts'

const settings = z.strictObject({
  values: numberList(
    { least: 0, most: 1, order: 'falling' },
    [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
  ),
})

export const scale: Remedy<z.infer<typeof settings>> = {
  name: 'scale',
  title: 'Whole change scaled',
  paper: 'arXiv:2109.01903',
  faithfulness: 'exact',
  parameter: 'λ',
  control: 'each tensor moved as far in a random direction',
  settings,
  trains: 'never',
  most: ({ values }) => values.length,
  open({ values }, of) {
    const at = (λ: number) => changedWeights(of, (tensor) => scaled(tensor, λ))
    return { values, at, control: (λ) => asFarAtRandom(of, at(λ)) }
  },
}
