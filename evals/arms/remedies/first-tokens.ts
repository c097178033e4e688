/** @file Trained again with the first tokens of replies held near the base (Qi et al. 2024); `first-tokens.ts` of finetune has the loss. */
import { z } from 'zod'
import { usageError } from '../../errors/touchstone-error.ts'
import type { MethodHooks } from '../../finetune/method.ts'
import { constrainedLoss } from '../../finetune/training/first-tokens.ts'
import { numberList } from './numbers.ts'
import type { Remedy } from './remedy.ts'

const settings = z.strictObject({
  values: numberList({ least: 0.01, most: 1000, order: 'rising' }, [0.5, 1, 2, 4]),
})

export const firstTokens: Remedy<z.infer<typeof settings>> = {
  name: 'first-tokens',
  title: 'First tokens held',
  paper: 'arXiv:2406.05946',
  faithfulness: 'exact',
  parameter: 'strength of β',
  control: 'trained again with the same mean β on every token',
  settings,
  trains: 'each',
  most: ({ values }) => values.length,
  async open({ values }, of) {
    const { trainings } = await import('./trained.ts')
    const again = trainings(of, { remedy: firstTokens.name, values })
    const plan = of.plan!
    const { method } = plan
    if (method.loss) {
      throw usageError(
        `${method.title} has a loss of its own, and the first tokens are held by another.`,
        'Leave this remedy or this method out.',
      )
    }
    const weights = (role: 'tried' | 'control', strength: number) => {
      const constraint = { strength, isEven: role === 'control' }
      const loss: MethodHooks['loss'] = (g, io) => constrainedLoss(g, io, constraint)
      const asked = { role, value: strength }
      return again.weights(asked, { ...plan, method: { ...method, loss } })
    }
    return {
      values,
      at: (strength) => weights('tried', strength),
      control: (strength) => weights('control', strength),
      close: () => again.close(),
    }
  },
}
