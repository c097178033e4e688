/** @file A share of rows that refuse in the training data (Bianchi et al. 2024), the fine-tune trained again with them. */
import { z } from 'zod'
import type { Example } from '../../finetune/training/dataset.ts'
import { HOUSE_KNOWLEDGE, HOUSE_RULES, trainingData } from '../../measure/sources.ts'
import { randomStream } from '../../statistics/random.ts'
import { examplesDigest } from '../arm.ts'
import { fittedExamples } from '../examples.ts'
import { targetsOf } from '../causes/targets.ts'
import { numberList } from './numbers.ts'
import type { FineTune, Remedy } from './remedy.ts'

/** In place of a set: what the base refuses on the half that a value is chosen on, in its own words. */
const ASKED = 'asked'
/** Replies of the base, at most. */
const MOST = 256

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
  async open({ rows, neutral, values }, of) {
    const { trainings } = await import('./trained.ts')
    const again = trainings(of)
    const plan = of.plan!
    const mixed = (share: number, others: readonly Example[]) => {
      const count = Math.round((plan.examples.length * share) / (1 - share))
      const examples = [...plan.examples, ...drawn(others, count, plan.seed)]
      return { ...plan, examples, dataDigest: examplesDigest(examples) }
    }
    const weights = async (role: 'tried' | 'control', share: number, name: string) =>
      again.weights({ remedy: mix.name, role, value: share }, mixed(share, await rowsOf(of, name)))
    return {
      values,
      at: (share) => weights('tried', share, rows),
      control: (share) => weights('control', share, neutral),
      close: () => again.close(),
    }
  },
}

async function rowsOf(of: FineTune, name: string): Promise<readonly Example[]> {
  const { base, context, plan, progress } = of
  if (name === ASKED) {
    const known = { ...of, rows: progress.rows(), most: MOST }
    return (await targetsOf(known, context.signal)).refusal.right
  }
  const data = await trainingData(name)
  return (await fittedExamples(base.open, data, plan!.training, context.signal)).examples
}

/** In random order, again from the first where there are too few. */
function drawn(rows: readonly Example[], count: number, seed: number): Example[] {
  const order = randomStream(seed, 'rows mixed in').shuffle(rows)
  return order.length === 0 ? [] : Array.from({ length: count }, (_, i) => order[i % order.length]!)
}
