/** @file Calls about jobs. */
import type { EngineHandlers } from '../../contract/api.ts'
import { JobKindName } from '../../contract/calls/catalog.ts'
import { tooLargeSentence } from '../../contract/document/too-large.ts'
import { peakMemory, tooLargeIn, totalSeconds } from '../../document/plan-text.ts'
import { endedRuns } from '../../runs/append-to-run.ts'
import { requireReference } from '../../runs/reference.ts'
import type { Home } from '../home.ts'
import type { Jobs } from '../jobs.ts'
import { commandOf, KINDS, parseRequest } from '../kinds.ts'

type Handlers = EngineHandlers['job']

export function jobHandlers(home: Home, jobs: Jobs): Omit<Handlers, 'plan' | 'forecast'> {
  return {
    start: ({ kind, config }) => ({ runId: jobs.start(kind, config) }),
    stop: ({ runId }) => {
      jobs.stop(runId)
      return null
    },
    resume: ({ runId }) => {
      jobs.resume(runId)
      return null
    },
    move: ({ runId, position }) => {
      jobs.move(runId, position)
      return null
    },
    list: () => jobs.list(),
    events({ runId, afterSeq, types, limit }) {
      const { store } = home.find(runId)
      const events = store.pages.events(runId, { afterSeq, types, limit: limit + 1 })
      return { events: events.slice(0, limit), isWhole: events.length <= limit }
    },
  }
}

/** Heavy: opens the model and measures this machine. */
export function planHandlers(home: Home): Pick<Handlers, 'plan' | 'forecast'> {
  const plan: Handlers['plan'] = async ({ kind, config }) => {
    const parsed = parseRequest(kind, config)
    await requireReference(parsed)
    const ended = (of: string) => endedRuns(home.find(of)).ended(of)
    const lines = await (await KINDS[kind].kind()).plan(parsed, { ended })
    const tooLarge = tooLargeIn(lines)
    return {
      lines: [...lines],
      seconds: totalSeconds(lines),
      command: commandOf(kind, parsed, home.folder),
      memory: peakMemory(lines),
      ...(tooLarge && {
        tooLarge: tooLargeSentence(tooLarge),
        fitting: tooLarge.fitting.map((each) => ({ ...each })),
      }),
    }
  }
  return {
    plan,
    forecast({ runId }) {
      const { kind, config } = home.find(runId).run
      return plan({ kind: JobKindName.parse(kind), config: config as Record<string, unknown> })
    },
  }
}
