/**
 * @file Runs a federated arm: in each round clients train and the server aggregates; the server's states are measured as those of
 * any arm, a state's step being its round. Killed at any moment, it goes on with the clients that have not sent, to the same bits.
 */
import { mkdir, rm } from 'node:fs/promises'
import type { JobContext } from '../../contract/job.ts'
import { sha256 } from '../../files/digest.ts'
import { attendance } from '../../finetune/federation/split.ts'
import { newOptimizerState } from '../../finetune/training/train.ts'
import type { TrainingSession } from '../../finetune/training/session.ts'
import { overlaid } from '../../models/weights/small-weights.ts'
import { digestOf, type Base } from '../../measure/base.ts'
import { armFolder, emitCheckpoint, emitSubject, openSessionOf, statePathIn } from '../arm.ts'
import { nameOf, type ArmRun, type FinishedArm } from '../arm-plan.ts'
import { stateEvaluator, stateOf } from '../arm-states.ts'
import { requireTrainable } from '../graph-base.ts'
import { requireChanged } from '../trained-nothing.ts'
import { afterRound } from './aggregate.ts'
import { createClientRunner } from './clients.ts'
import type { FederatedArm, FederatedPlan, RoundWork } from './federation-plan.ts'
import {
  clientsFolder,
  identityOf,
  isSent,
  layerNames,
  loadSent,
  loadServer,
  saveServer,
  type ServerState,
} from './round-files.ts'

interface FederatedRun extends ArmRun {
  readonly federated: FederatedArm
  server: ServerState
  readonly train: (work: RoundWork) => Promise<void>
}

export async function runFederation(
  base: Base,
  { federation, ...plan }: FederatedPlan,
  context: JobContext,
): Promise<FinishedArm> {
  requireTrainable(base, plan)
  const folder = armFolder(context.workspace, plan)
  await mkdir(clientsFolder(folder), { recursive: true })
  const session = await openSessionOf(base, plan)
  const federated = { base, plan, federation, folder, table: session.table }
  const runner = createClientRunner(federated)
  const here = async ({ clients, signal }: RoundWork) => {
    for (const client of clients) await runner.run(client, signal)
  }
  try {
    const stored = await loadServer(federated)
    const run = runOf(federated, session, context, stored ?? startOf(federated, session), here)
    emitSubject(run, {})
    // If the process was killed between writing the file and its row, the row is missing.
    await (stored ? emitCheckpoint(run) : save(run))
    await playRounds(run)
    // Killed after its last round was saved, a run finds what clients had sent.
    await rm(clientsFolder(folder), { recursive: true, force: true })
    const { moved, parameters } = run.server
    const weights = [...moved.values()].map(digestOf)
    const isMoved = weights.length > 0
    emitSubject(
      run,
      isMoved
        ? { weightsDigest: sha256(weights.join('\n')) }
        : { adapterDigest: digestOf(parameters) },
    )
    return finishedOf(run)
  } finally {
    await runner.close()
    await session.release()
  }
}

/** Before the first round; where adapters are stacked the weights below them are the base's. */
const startOf = (
  { base, federation, table }: FederatedArm,
  { parameters }: TrainingSession,
): ServerState => ({
  round: 0,
  parameters,
  moved: new Map(
    federation.strategy.stacks
      ? layerNames(table).map((name) => [`${name}.weight`, base.weights.get(`${name}.weight`)!])
      : [],
  ),
})

function runOf(
  federated: FederatedArm,
  session: TrainingSession,
  context: JobContext,
  server: ServerState,
  here: FederatedRun['train'],
): FederatedRun {
  const { base, plan, folder, federation } = federated
  const run: FederatedRun = {
    base,
    plan,
    context,
    folder,
    federated,
    server,
    // The weights below the adapter change where adapters are stacked into them.
    session: {
      ...session,
      get weights() {
        return run.server.moved.size > 0
          ? overlaid(session.weights, run.server.moved)
          : session.weights
      },
    },
    start: session.parameters,
    state: newOptimizerState(server.parameters.slice()),
    statePath: statePathIn(folder),
    identity: identityOf(federated, federation.rounds),
    arm: { arm: plan.arm, seed: plan.seed },
    savedAt: 0,
    train: federation.trainElsewhere ?? here,
  }
  run.state.step = server.round
  return run
}

async function playRounds(run: FederatedRun): Promise<void> {
  const { plan, context, federated, state } = run
  const { rounds } = federated.federation
  const evaluator = plan.evaluation && stateEvaluator(run, plan.evaluation)
  const phase = `${nameOf(plan)}: rounds`
  context.emit({ type: 'phase-start', phase, total: rounds, unit: 'step' })
  for (;;) {
    context.signal.throwIfAborted()
    if (plan.evaluateAt.includes(state.step)) {
      if (state.step === rounds) requireAggregated(run)
      await evaluator?.reached()
      if (state.step < rounds) await plan.onEvaluated?.(finishedOf(run))
    }
    if (state.step === rounds) break
    await playRound(run)
    context.emit({ type: 'phase-progress', phase, done: state.step })
  }
  context.emit({ type: 'phase-end', phase })
}

/** Nothing is decided of rounds in which nothing changed. */
function requireAggregated(run: FederatedRun): void {
  const { base, plan, start, federated } = run
  if (!plan.evaluation) return
  // Adapters that were stacked lie in the base's weights.
  const { stacks } = federated.federation.strategy
  const parameters = stacks ? undefined : start
  requireChanged(base, parameters && stateOf(run, { step: 0, parameters }), finishedOf(run))
}

async function playRound(run: FederatedRun): Promise<void> {
  const { plan, context, federated, server, state, arm } = run
  const { round } = server
  const { clients, ...attending } = federated.federation
  const who = attendance({ ...attending, clients: clients.length }, round, plan.seed)
  const left: number[] = []
  for (const client of who.answered)
    if (!(await isSent(federated, round, client))) left.push(client)
  const { signal } = context
  if (left.length > 0) await run.train({ arm: federated, round, clients: left, signal })
  const answers = []
  for (const client of who.answered)
    answers.push({ client, ...(await loadSent(federated, round, client)) })
  const after = afterRound(federated, server, answers)
  run.server = after.server
  state.parameters.set(after.server.parameters)
  state.step = after.server.round
  for (const [name, value] of after.facts)
    context.emit({ type: 'metric', row: { ...arm, step: state.step, name, value } })
  await save(run)
  await rm(clientsFolder(run.folder), { recursive: true, force: true })
}

async function save(run: FederatedRun): Promise<void> {
  // Rows before the state: a resumed run goes on after this round and does not emit them again.
  run.context.flush()
  await saveServer(run.federated, run.server)
  await emitCheckpoint(run)
}

/** The server's state as an arm: an adapter, or the weights into which adapters were stacked. */
function finishedOf(run: FederatedRun): FinishedArm {
  const { server, federated } = run
  const arm = stateOf(run, run.state)
  if (!federated.federation.strategy.stacks) return arm
  const shapeOf = (name: string) => federated.base.model.weights.get(name)!.shape
  const weights = [...server.moved].map(
    ([name, data]) => [name, { shape: shapeOf(name), data }] as const,
  )
  return { ...arm, parameters: new Map(weights), prepared: {} }
}
