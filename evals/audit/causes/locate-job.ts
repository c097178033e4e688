/** @file The job `locate`: trains the fine-tunes of a run again and tells which parts of their change took refusal. */
import type { JobKind } from '../../contract/job.ts'
import { locate } from '../../arms/causes/location.ts'
import { planLocation } from './plan.ts'
import { runAudit } from '../run-audit.ts'
import type { Study } from '../subjects/kind.ts'
import { LocateConfig } from './config.ts'
import { trainedAgain } from './of-run.ts'

export const locateJob: JobKind<LocateConfig> = {
  name: 'locate',
  config: LocateConfig,
  title: ({ run, arm }) => `Weights that did it in ${arm === null ? run : `${arm} of ${run}`}`,
  plan: planLocation,
  async run(asked, context, progress) {
    const config = trainedAgain(asked, progress)
    const { replies, restores, draws } = asked
    const look: Study['look'] = async ({ base, tuned, evaluation }) => {
      const plan = { evaluation, replies, restores, draws }
      for (const each of tuned) await locate(base, each, plan, context, progress)
    }
    const of = progress.ended(asked.run).rows()
    await runAudit({ config, evaluates: true, study: { of, look } }, context, progress)
  },
}
