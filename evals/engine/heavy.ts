/** @file Calls that take long or much memory. They run in the helper, so that the engine stays responsive. */
import { dataHandlers } from './handlers/data.ts'
import { doctorHandlers, houseHandlers, signedHandlers } from './handlers/house.ts'
import { planHandlers } from './handlers/jobs.ts'
import { sweepSummaryHandlers } from './handlers/measures.ts'
import { modelHandlers } from './handlers/models.ts'
import { resultHandlers } from './handlers/results.ts'
import { labelSummaryHandlers } from './handlers/samples.ts'
import { talkHandlers } from './handlers/talk.ts'
import type { Home } from './home.ts'

export const heavyHandlers = (home: Home) => ({
  model: modelHandlers(home),
  data: dataHandlers(home),
  talk: talkHandlers(home),
  doctor: doctorHandlers,
  job: planHandlers(home),
  run: resultHandlers(home),
  label: labelSummaryHandlers(home),
  sweep: sweepSummaryHandlers(home),
  house: houseHandlers(home),
  signed: signedHandlers(home),
})

export type HeavyHandlers = ReturnType<typeof heavyHandlers>
