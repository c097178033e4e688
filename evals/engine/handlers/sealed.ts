/** @file Calls about replies that are kept apart: one to the window where that is harmless, all of a run to a private file. Either has a reason, which the run's log tells first. */
import { resolve } from 'node:path'
import { loadBundled } from '../../benchmarks/bundled/load-bundled.ts'
import { BUNDLED } from '../../benchmarks/registry.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import { logUnblinding, unblindRun } from '../../runs/unblind.ts'
import type { FoundRun, Home } from '../home.ts'
import { settingsOf } from './house.ts'

export function sealedHandlers(home: Home): Pick<EngineHandlers['sample'], 'reveal' | 'unblind'> {
  return {
    async reveal({ runId, ...key }) {
      const { revealReason } = settingsOf(home)
      const found = home.find(runId)
      const reply = revealReason === '' ? undefined : found.store.sealedReply(runId, key)
      if (!reply || !(await isBundled(key.benchmark, reply.prompt))) return null
      logOnce(found, revealReason)
      return { text: reply.text }
    },
    async unblind({ runId, reason, path }) {
      const output = resolve(path)
      const { count } = await unblindRun(home.find(runId), reason, output)
      return { path: output, replies: count }
    },
  }
}

/** A run may have asked other prompts under the name of a bundled suite. */
async function isBundled(name: string, prompt: string): Promise<boolean> {
  const benchmark = BUNDLED.find((each) => each.name === name)
  const samples = benchmark ? await loadBundled(benchmark) : []
  return samples.some(
    ({ messages }) => messages.map(({ content }) => content).join('\n') === prompt,
  )
}

function logOnce({ store, folder, run }: FoundRun, reason: string): void {
  const told = store.eventsOfType(run.id, 'unblinded')
  if (told.some((event) => event.reason === reason)) return
  logUnblinding({ store, folder, runId: run.id }, reason)
}
