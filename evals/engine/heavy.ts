/** @file Calls that take long or much memory. They run in the helper, so that the engine stays responsive. */
import type { EngineHandlers } from '../contract/api.ts'
import { dataHandlers } from './handlers/data.ts'
import { doctorHandlers, houseHandlers } from './handlers/house.ts'
import { planHandlers } from './handlers/jobs.ts'
import { sweepSummaryHandlers } from './handlers/measures.ts'
import { modelHandlers } from './handlers/models.ts'
import { resultHandlers } from './handlers/results.ts'
import { labelSummaryHandlers } from './handlers/samples.ts'
import { talkHandlers } from './handlers/talk.ts'
import type { Home } from './home.ts'

export interface HeavyHandlers extends Pick<EngineHandlers, 'model' | 'data' | 'talk' | 'doctor'> {
  readonly job: Pick<EngineHandlers['job'], 'plan'>
  readonly run: Pick<
    EngineHandlers['run'],
    'list' | 'summary' | 'results' | 'document' | 'compare' | 'gate' | 'export'
  >
  readonly label: Pick<EngineHandlers['label'], 'draw' | 'summary'>
  readonly sweep: Pick<EngineHandlers['sweep'], 'summary'>
  readonly house: Omit<EngineHandlers['house'], 'settings' | 'set'>
}

export const heavyHandlers = (home: Home): HeavyHandlers => ({
  model: modelHandlers(home),
  data: dataHandlers(home),
  talk: talkHandlers(home),
  doctor: doctorHandlers,
  job: planHandlers(home),
  run: resultHandlers(home),
  label: labelSummaryHandlers(home),
  sweep: sweepSummaryHandlers(home),
  house: houseHandlers(home),
})
