/** @file Parts of the change put back to the base, in the order in which `locate` ranks them: the first few of them. */
import { z } from 'zod'
import { randomSet, squaredNormOf, type Part } from '../causes/parts.ts'
import { numberList } from './numbers.ts'
import type { FineTune, MadeWeights, Remedy } from './remedy.ts'

const settings = z.strictObject({
  values: numberList(
    { least: 1, most: 10_000, order: 'rising', areWhole: true },
    [1, 2, 4, 8, 16, 32],
  ),
  replies: z.coerce.number().int().min(1).max(4096).default(64),
})

export const reset: Remedy<z.infer<typeof settings>> = {
  name: 'reset',
  title: 'Parts put back',
  paper: '–',
  faithfulness: 'own',
  parameter: 'parts',
  control: 'parts at random with at most as large a change',
  settings,
  trains: 'never',
  most: ({ values }) => values.length,
  async open({ values, replies }, of) {
    const { rankedParts } = await import('../causes/location.ts')
    const parts = (await rankedParts({ ...of, replies })).map(({ part }) => part)
    return {
      values: values.filter((count) => count < parts.length),
      at: (count) => putBack(of, parts.slice(0, count)),
      control: (count) =>
        putBack(of, randomSet(parts, squaredNormOf(parts.slice(0, count)), of.tuned.key.seed, 0)),
    }
  },
}

function putBack({ base, tuned }: FineTune, parts: readonly Part[]): MadeWeights {
  const back = new Set(parts.flatMap(({ weights }) => weights))
  return {
    read: (name) => (back.has(name) ? base.weights.get(name)! : tuned.weights.read(name)),
  }
}
