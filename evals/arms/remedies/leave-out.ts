/** @file Trained again without the rows that took most refusal, as `attribute` ranks them on the half that values are chosen on. */
import { z } from 'zod'
import { GradientForm } from '../../contract/subjects/causes.ts'
import { countLabelled } from '../../finetune/training/dataset.ts'
import { examplesDigest } from '../arm.ts'
import { leftOut } from '../causes/left-out.ts'
import { numberList } from './numbers.ts'
import type { FineTune, Remedy } from './remedy.ts'

const settings = z.strictObject({
  form: GradientForm.default('scaled'),
  checkpoints: z.coerce.number().int().min(1).max(100).default(3),
  replies: z.coerce.number().int().min(1).max(4096).default(64),
  values: numberList({ least: 0.001, most: 0.9, order: 'rising' }, [0.02, 0.05, 0.1]),
})
type Settings = z.infer<typeof settings>

export const leaveOut: Remedy<Settings> = {
  name: 'leave-out',
  title: 'Rows left out',
  paper: 'arXiv:2402.04333',
  faithfulness: 'variant',
  parameter: 'share',
  control: 'trained again without as many rows at random',
  settings,
  trains: 'each',
  most: ({ values }) => values.length,
  checkpoints: ({ checkpoints }) => checkpoints,
  async open(asked, of) {
    const { trainings } = await import('./trained.ts')
    const again = trainings(of, { remedy: leaveOut.name, values: asked.values })
    const plan = of.plan!
    let ranked: ReturnType<typeof rankable> | undefined
    const weights = async (role: 'tried' | 'control', share: number) => {
      const rows = await (ranked ??= rankable(asked, of))
      const count = Math.max(1, Math.round(rows.length * share))
      const which = role === 'tried' ? 'ranked' : 'random'
      const left = new Set(leftOut(rows, count, plan.seed)[which])
      const examples = plan.examples.filter((_, i) => !left.has(i))
      const without = { ...plan, examples, dataDigest: examplesDigest(examples) }
      return again.weights({ role, value: share }, without)
    }
    return {
      values: asked.values,
      at: (share) => weights('tried', share),
      control: (share) => weights('control', share),
      close: () => again.close(),
    }
  },
}

/** The pieces of rows that the fine-tune learnt from, in order. */
async function rankable({ form, checkpoints, replies }: Settings, of: FineTune) {
  const { scoredExamples } = await import('../causes/scored-examples.ts')
  const { base, tuned, evaluation, context, progress } = of
  const plan = { ...of.plan!, evaluation }
  const stored = progress.rows()
  const asked = {
    tuned,
    stored,
    target: 'refusal',
    replies,
    checkpoints,
    projection: null,
  } as const
  const { found } = await scoredExamples(base, plan, asked, context)
  return found.map(({ scores, loss }, i) => ({
    score: scores[form].refusal,
    tokens: countLabelled([plan.examples[i]!]),
    loss,
  }))
}
