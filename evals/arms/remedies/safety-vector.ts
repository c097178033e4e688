/** @file Task arithmetic (Ilharco et al. 2023; Bhardwaj et al. 2024): the change of an adapter that refuses, λ times, added. */
import { z } from 'zod'
import { readPeftFolder } from '../../models/formats/peft-folder.ts'
import { adaptedWeights, requireFitting } from '../../models/weights/tuned-weights.ts'
import { numberList } from './numbers.ts'
import type { FineTune, MadeWeights, Remedy } from './remedy.ts'
import { asFarAtRandom } from './weights.ts'

const settings = z.strictObject({
  adapter: z.string().min(1),
  values: numberList({ least: 0, most: 10, order: 'rising' }, [0.25, 0.5, 0.75, 1, 1.5]),
})

export const safetyVector: Remedy<z.infer<typeof settings>> = {
  name: 'safety-vector',
  title: 'Adapter that refuses, added',
  paper: 'arXiv:2212.04089',
  faithfulness: 'exact',
  parameter: 'λ',
  control: 'each tensor moved as far in a random direction',
  settings,
  trains: 'never',
  most: ({ values }) => values.length,
  async check({ adapter }, model) {
    requireFitting(model, await readPeftFolder(adapter), adapter)
  },
  async open({ adapter, values }, of) {
    const { model, weights } = of.base
    const vector = adaptedWeights(weights, await readPeftFolder(adapter), adapter, { model })
    const at = (λ: number) => added(of, vector, λ)
    return { values, at, control: (λ) => asFarAtRandom(of, at(λ)) }
  },
}

const added = ({ base, tuned }: FineTune, vector: MadeWeights, λ: number): MadeWeights => ({
  read(name) {
    const [W0, W1, V] = [base.weights.get(name)!, tuned.weights.read(name), vector.read(name)]
    return V === W0 ? W1 : W1.map((w, i) => w + λ * (V[i]! - W0[i]!))
  },
})
