/** @file The engine over a folder of its own, held in this process. */
import { join } from 'node:path'
import type { JobEvent } from '../../../evals/contract/events.ts'
import type { FeedMessage } from '../../../evals/contract/feed.ts'
import { createClient, type Transport } from '../../../evals/contract/rpc.ts'
import { openEngine, type Engine } from '../../../evals/engine/engine.ts'
import { inProcess } from '../../../evals/hosts/in-process.ts'
import { freshFolder } from '../runs/command-line.ts'

export interface OpenWorkbench {
  readonly folder: string
  readonly engine: Engine
  readonly transport: Transport
  readonly client: ReturnType<typeof createClient>
  /** Everything that the feed has told. */
  readonly messages: FeedMessage[]
  readonly events: () => JobEvent[]
  until(happened: () => boolean, patienceMs?: number): Promise<void>
}

export function openWorkbench(folder = freshFolder()): OpenWorkbench {
  const engine = openEngine(folder)
  const transport = inProcess(engine)
  const messages: FeedMessage[] = []
  transport.listen((message) => messages.push(message))
  return {
    folder,
    engine,
    transport,
    client: createClient(transport),
    messages,
    events: () => messages.flatMap(({ body }) => (body.type === 'events' ? body.events : [])),
    until,
  }
}

/** What never happens is ended by the test's own limit. */
export async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A fine-tune of Pebble of a few seconds; `steps` make it longer. */
export const smallTrain = (steps: number) => ({
  kind: 'train' as const,
  config: {
    model: 'pebble',
    data: 'house-benign',
    methods: [{ name: 'lora', config: { rank: 2 } }],
    training: { steps, batchSize: 4 },
  },
})

export const databaseOf = (folder: string): string => join(folder, 'touchstone.db')
