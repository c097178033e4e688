/**
 * @file A client of a federated arm: takes the server's adapter, trains it on its own rows with moments that begin at 0, and sends
 * it. What it sends is a function of (server's state, client, round, seed), in whatever process it runs.
 */
import { mkdir } from 'node:fs/promises'
import { isError } from '../../errors/touchstone-error.ts'
import { privateSession } from '../../finetune/federation/private-session.ts'
import { countLabelled, longestRow } from '../../finetune/training/dataset.ts'
import { namedViews } from '../../finetune/training/parameters.ts'
import type { TrainingSession } from '../../finetune/training/session.ts'
import { newOptimizerState, train } from '../../finetune/training/train.ts'
import { openTraining } from '../../finetune/training/train-graph.ts'
import { overlaid } from '../../models/weights/small-weights.ts'
import { randomStream } from '../../statistics/random.ts'
import { statePathIn } from '../arm.ts'
import type { FederatedArm } from './federation-plan.ts'
import { clientsFolder, loadServer, saveSent, type Sent, type ServerState } from './round-files.ts'

/** Threads of a client: with more, what it computes would depend on how many clients run at a time. */
export const CLIENT_THREADS = 1

/** Far more than there are clients and rounds, so that seeds of new adapters do not meet the seeds of arms. */
const SEEDS_APART = 1_000_003

interface ClientRunner {
  /** Trains one client on the saved state of the server, and saves what it sends. */
  run(client: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Sessions are shared between clients and rounds where they are the same. */
export function createClientRunner(arm: FederatedArm): ClientRunner {
  let open: { readonly key: string; readonly session: TrainingSession } | undefined
  const close = async () => {
    const closing = open
    open = undefined
    await closing?.session.release()
  }
  async function sessionFor(server: ServerState, client: number): Promise<TrainingSession> {
    const { strategy, clients } = arm.federation
    // A stacked adapter lies in the weights, and every client draws a new one.
    const key = strategy.stacks ? `${server.round} ${client}` : String(clients[client]!.rank)
    if (open?.key !== key) {
      await close()
      open = { key, session: await openClient(arm, server, client) }
    }
    return open.session
  }
  return {
    async run(client, signal) {
      const server = await loadServer(arm)
      if (!server) throw new Error('internal: a client began before the server')
      const session = await sessionFor(server, client)
      const sent = await trained(arm, { session, server, client, signal })
      await mkdir(clientsFolder(arm.folder), { recursive: true })
      await saveSent(arm, server.round, client, sent)
    },
    close,
  }
}

function openClient(
  { base, plan, federation }: FederatedArm,
  { round, moved }: ServerState,
  client: number,
): Promise<TrainingSession> {
  const { clients, strategy } = federation
  const { checkpointing, batchSize, packing } = plan.training
  const own = clients[client]!
  const draw = strategy.stacks ? round * clients.length + client : 0
  const all = clients.flatMap(({ examples }) => examples)
  return openTraining({
    ...base,
    device: { ...base.device, threads: CLIENT_THREADS },
    weights: moved.size > 0 ? overlaid(base.weights, moved) : base.weights,
    method: own.method,
    seed: plan.seed + SEEDS_APART * draw,
    checkpointing,
    oneText: !packing,
    maxPositions: Math.max(2, longestRow(all)),
    labelled: (batchSize * countLabelled(all)) / all.length,
  })
}

interface Training {
  readonly session: TrainingSession
  readonly server: ServerState
  readonly client: number
  readonly signal: AbortSignal
}

async function trained(
  { base, plan, federation, folder, table }: FederatedArm,
  { session, server, client, signal }: Training,
): Promise<Sent> {
  const { localSteps, clients, privacy, strategy } = federation
  const { seed, training: config } = plan
  const own = clients[client]!
  const start = strategy.stacks
    ? session.parameters.slice()
    : leading(namedViews(table, server.parameters), session.table)
  const state = newOptimizerState(start)
  const label = `federation:noise ${client} ${server.round}`
  const options = {
    session:
      privacy?.unit === 'example'
        ? privateSession(session, privacy, randomStream(seed, label))
        : session,
    examples: own.examples,
    padId: base.open.tokenizer.padId,
    config,
    seed,
    signal,
    lastGood: () => statePathIn(folder),
    earlier: server.round * localSteps,
  }
  let loss = 0
  try {
    for await (const report of train(state, options, localSteps)) loss += report.loss / localSteps
  } catch (error) {
    // A client that diverges sends what it has; the server looks at it.
    if (!isError(error, 'training.not-finite')) throw error
    state.parameters.fill(NaN)
  }
  return { parameters: state.parameters, loss }
}

/** The leading rows of A and columns of B that an adapter of a smaller rank has room for; a copy where the ranks are equal. */
function leading(
  views: ReturnType<typeof namedViews>,
  { slices, size }: TrainingSession['table'],
): Float32Array {
  const out = new Float32Array(size)
  for (const { name, shape, start } of slices) {
    const from = views.get(name)!
    const [rows, columns] = shape as [number, number]
    const width = from.shape[1]!
    for (let i = 0; i < rows; i++)
      out.set(from.data.subarray(i * width, i * width + columns), start + i * columns)
  }
  return out
}
