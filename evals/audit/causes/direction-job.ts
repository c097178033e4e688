/** @file The job `direction`: holds the direction of refusal of a run's fine-tunes beside the base's, and tests for its removal. */
import { benignData, benignOf } from './benign.ts'
import type { JobKind } from '../../contract/job.ts'
import { directionStudy } from '../../arms/causes/direction.ts'
import { isHouseModel } from '../../measure/house-model.ts'
import { planDirection } from './plan.ts'
import { runAudit } from '../run-audit.ts'
import type { Studied } from '../subjects/kind.ts'
import { DirectionConfig } from './config.ts'
import { measuredAgain } from './of-run.ts'

export const directionJob: JobKind<DirectionConfig> = {
  name: 'direction',
  config: DirectionConfig,
  title: ({ run, arm }) => `Direction of refusal in ${arm === null ? run : `${arm} of ${run}`}`,
  plan: planDirection,
  async run(asked, context, progress) {
    const config = measuredAgain(asked, progress)
    const isHouse = await isHouseModel(config.model)
    const data = await benignData(asked, isHouse)
    const study = directionStudy(context, progress)
    const along = async ({ base, tuned, evaluation }: Omit<Studied, 'arms'>) => {
      for (const state of tuned) await study.along(base, evaluation, state)
    }
    const look = async ({ base, arms, tuned, evaluation }: Studied) => {
      const benign = await benignOf({ base, arms, config, asked, data }, context)
      await study.look(base, tuned, { evaluation, benign, steers: asked.steer && isHouse })
    }
    const of = progress.ended(asked.run).rows()
    await runAudit({ config, evaluates: true, study: { of, look, along } }, context, progress)
  },
}
