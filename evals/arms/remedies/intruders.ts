/** @file The highest intruder dimension of each matrix by λ (Shuttleworth et al. 2025, §6), beside the change shrunk as much. */
import { z } from 'zod'
import { EPSILON } from '../../spectra/intruders.ts'
import { mitigated } from '../../spectra/mitigation.ts'
import type { Mitigation } from '../../contract/mitigation.ts'
import { spectralMatrices } from '../../measure/arm-spectra.ts'
import { numberList } from './numbers.ts'
import type { MadeWeights, Remedy } from './remedy.ts'

const settings = z.strictObject({
  values: numberList({ least: 0, most: 1, order: 'falling' }, [0.75, 0.5, 0.25, 0]),
  epsilon: z.coerce.number().gt(0).lt(1).default(EPSILON),
})

export const intruders: Remedy<z.infer<typeof settings>> = {
  name: 'intruders',
  title: 'Intruder dimensions scaled',
  paper: 'arXiv:2410.21228',
  faithfulness: 'exact',
  parameter: 'λ',
  control: 'the change of each matrix shrunk to the norm that is left',
  settings,
  trains: 'never',
  most: ({ values }) => values.length,
  async open({ values, epsilon }, of) {
    const { findTriplets } = await import('../mitigation.ts')
    const { base, tuned, context } = of
    const found = await findTriplets(
      base,
      tuned,
      { epsilon, cache: false, cacheDir: null },
      context,
    )
    const shapes = new Map(spectralMatrices(base).map(({ weight, shape }) => [weight, shape]))
    const made = (form: Mitigation, λ: number): MadeWeights => ({
      read(name) {
        const data = tuned.weights.read(name)
        const [triplets, shape] = [found.get(name), shapes.get(name)]
        if (!triplets || !shape) return data
        const rank = tuned.weights.change(name)?.rank
        const [W0, W1] = [base.weights.get(name)!, { rows: shape[0], columns: shape[1], data }]
        const W = mitigated(form, λ, { ...triplets, W0, W1, rank })
        return W === data ? data : Float32Array.from(W)
      },
    })
    const isAny = [...found.values()].some((each) => each.intruders.length > 0)
    return {
      values: isAny ? values : [],
      at: (λ) => made('paper', λ),
      control: (λ) => made('shrink', λ),
    }
  },
}
