/** @file The engine: answers every call of the contract over one folder. Hosts connect it to windows; tests run it in their process. */
import type { EngineHandlers } from '../contract/api.ts'
import { serve, type Answer } from '../contract/rpc.ts'
import { toWireError } from '../errors/wire.ts'
import { createFeed, type Feed } from './feed.ts'
import { catalogHandlers } from './handlers/catalog.ts'
import { settingHandlers } from './handlers/house.ts'
import { jobHandlers } from './handlers/jobs.ts'
import { measureHandlers } from './handlers/measures.ts'
import { fileHandlers } from './handlers/models.ts'
import { listHandlers } from './handlers/run-list.ts'
import { runHandlers } from './handlers/runs.ts'
import { labelHandlers, sampleHandlers } from './handlers/samples.ts'
import { sqlHandlers } from './handlers/sql.ts'
import { createHelper } from './helper.ts'
import { openHome } from './home.ts'
import { createJobs } from './jobs.ts'

export interface Engine {
  /** Never rejects. */
  answer(message: unknown): Promise<Answer>
  readonly listen: Feed['listen']
  /** Stops the running job at its next safe point and closes every process and database. */
  close(): Promise<void>
}

export function openEngine(folder: string): Engine {
  const home = openHome(folder)
  const feed = createFeed()
  const jobs = createJobs(home, feed)
  const helper = createHelper(home.folder)
  const heavy = helper.handlers
  const measures = measureHandlers(home)
  const changed = (what: 'settings' | 'runs') => () => feed.publish({ type: 'changed', what })
  const handlers: EngineHandlers = {
    catalog: catalogHandlers(),
    model: heavy.model,
    file: fileHandlers,
    data: heavy.data,
    job: { ...jobHandlers(home, jobs), plan: heavy.job.plan, forecast: heavy.job.forecast },
    run: { ...heavy.run, ...listHandlers(home), ...runHandlers(home, jobs, changed('runs')) },
    ...sampleHandlers(home),
    label: { ...heavy.label, ...labelHandlers(home) },
    spectrum: measures.spectrum,
    sweep: { ...measures.sweep, summary: heavy.sweep.summary },
    talk: heavy.talk,
    house: { ...heavy.house, ...settingHandlers(home, changed('settings')) },
    signed: heavy.signed,
    doctor: heavy.doctor,
    sql: sqlHandlers(home),
  }
  return {
    answer: serve(handlers, toWireError),
    listen: feed.listen,
    async close() {
      await jobs.close()
      await helper.close()
      home.close()
    },
  }
}
