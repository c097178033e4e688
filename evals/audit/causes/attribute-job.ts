/** @file The job `attribute`: trains the fine-tunes of a run again and tells which rows of their data took refusal. */
import type { JobKind } from '../../contract/job.ts'
import { attribute } from '../../arms/causes/attribution.ts'
import { trainingData } from '../../measure/sources.ts'
import type { Study } from '../subjects/kind.ts'
import { planAttribution } from './plan.ts'
import { runAudit } from '../run-audit.ts'
import { AttributeConfig } from './config.ts'
import { trainedAgain } from './of-run.ts'

export const attributeJob: JobKind<AttributeConfig> = {
  name: 'attribute',
  config: AttributeConfig,
  title: ({ run, arm }) => `Rows that did it in ${arm === null ? run : `${arm} of ${run}`}`,
  plan: planAttribution,
  async run(asked, context, progress) {
    const config = trainedAgain(asked, progress)
    const data = await trainingData(config.data)
    const { target, form, checkpoints, replies, without, projection } = asked
    const plan = { data, target, form, checkpoints, replies, without, projection }
    const look: Study['look'] = async ({ base, arms, tuned }) => {
      for (const arm of arms) {
        const own = tuned.find(({ key }) => key.arm === arm.arm && key.seed === arm.seed)
        await attribute(base, arm, { ...plan, tuned: own }, context, progress)
      }
    }
    const of = progress.ended(asked.run).rows()
    await runAudit({ config, evaluates: true, study: { of, look } }, context, progress)
  },
}
