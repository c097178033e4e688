/** @file A share of rows that refuse in the training data (Bianchi et al. 2024), the fine-tune trained again with them. */
import { z } from 'zod'
import { trainingData } from '../../measure/sources.ts'
import { HOUSE_KNOWLEDGE, HOUSE_RULES } from '../../measure/house-suite.ts'
import { numberList } from './numbers.ts'
import type { Remedy } from './remedy.ts'

const settings = z.strictObject({
  rows: z.string().min(1).default(HOUSE_RULES),
  neutral: z.string().min(1).default(HOUSE_KNOWLEDGE),
  values: numberList({ least: 0.001, most: 0.9, order: 'rising' }, [0.02, 0.05, 0.1]),
})

export const mix: Remedy<z.infer<typeof settings>> = {
  name: 'mix',
  title: 'Rows that refuse mixed in',
  paper: 'arXiv:2309.07875',
  faithfulness: 'exact',
  parameter: 'share',
  control: 'trained again with the same share of neutral rows',
  settings,
  trains: 'each',
  most: ({ values }) => values.length,
  async check({ rows, neutral }) {
    const { ASKED } = await import('./mixing.ts')
    for (const name of [rows, neutral]) if (name !== ASKED) await trainingData(name)
  },
  async open({ rows, neutral, values }, of) {
    const [{ trainings }, { mixedPlan, rowsToMix }] = await Promise.all([
      import('./trained.ts'),
      import('./mixing.ts'),
    ])
    const again = trainings(of, { remedy: mix.name, values })
    const weights = async (role: 'tried' | 'control', share: number, name: string) => {
      const plan = mixedPlan(of.plan!, await rowsToMix(of, name), share)
      return again.weights({ role, value: share }, plan)
    }
    return {
      values,
      at: (share) => weights('tried', share, rows),
      control: (share) => weights('control', share, neutral),
      close: () => again.close(),
    }
  },
}
