/** @file The server's part of a round: what it makes of what clients sent, how far that is from their exact mean, and what it cost. */
import { biasMetric, ROUND_METRICS } from '../../contract/metrics/federation.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { epsilonOf, privateMean, zcdp } from '../../finetune/federation/privacy.ts'
import { aggregationBias, exactMean, relativeBias } from '../../finetune/federation/products.ts'
import { attendance } from '../../finetune/federation/split.ts'
import type { Aggregated, Round, Tensors } from '../../finetune/federation/strategy.ts'
import { layersOf } from '../../finetune/merging/merge.ts'
import type { BoundMethod } from '../../finetune/method.ts'
import { isTrained, namedViews, type ParameterTable } from '../../finetune/training/parameters.ts'
import { randomStream } from '../../statistics/random.ts'
import type { FederatedArm } from './federation-plan.ts'
import { tableAtRank, type Sent, type ServerState } from './round-files.ts'

/** One client that answered. */
interface Answer extends Sent {
  readonly client: number
}

interface Outcome {
  readonly server: ServerState
  /** Facts of the round by the names of their metrics. */
  readonly facts: ReadonlyMap<string, number>
}

const BYTES = 4

/** The state after the round that `server` begins. Without an answer it stays as it is. */
export function afterRound(
  arm: FederatedArm,
  server: ServerState,
  answers: readonly Answer[],
): Outcome {
  const { federation, plan } = arm
  const costs = costsOf(arm, server.round, answers)
  if (answers.length === 0) return { server: { ...server, round: server.round + 1 }, facts: costs }
  answers.forEach((answer) => requireFinite(arm, server, answer))
  const round = roundOf(arm, server, answers)
  const { privacy, strategy } = federation
  const { asked } = attendanceIn(arm, server.round)
  const noise = randomStream(plan.seed, `federation:noise ${server.round}`)
  const made =
    privacy?.unit === 'client'
      ? { tensors: privateMean(round, privacy, asked.length, noise) }
      : strategy.aggregate(round)
  const next = moved(arm, server, made)
  const loss = round.updates.reduce((sum, { weight }, i) => sum + weight * answers[i]!.loss, 0)
  const facts = new Map([['train/loss', loss], ...costs, ...biases(arm, round, next, made)])
  return { server: next, facts }
}

const attendanceIn = ({ federation, plan }: FederatedArm, round: number) =>
  attendance({ ...federation, clients: federation.clients.length }, round, plan.seed)

function requireFinite({ federation }: FederatedArm, { round }: ServerState, answer: Answer): void {
  if (answer.parameters.every(Number.isFinite)) return
  const { title } = federation.strategy
  throw new TouchstoneError('federation.not-finite', {
    strategy: title,
    client: answer.client,
    round: round + 1,
  })
}

const trainedIn = (table: ParameterTable, parameters: Float32Array): Tensors => {
  const views = namedViews(table, parameters)
  return new Map(
    table.slices.filter(isTrained).map(({ name }) => [name, views.get(name)!] as const),
  )
}

function roundOf(arm: FederatedArm, server: ServerState, answers: readonly Answer[]): Round {
  const { clients } = arm.federation
  const rows = answers.reduce((sum, { client }) => sum + clients[client]!.examples.length, 0)
  const sent = answers.map(({ client, parameters }) => {
    const { examples, method, rank } = clients[client]!
    const table = tableAtRank(arm.table, rank)
    const weight = examples.length / rows
    return { client, weight, table, parameters, method }
  })
  return {
    before: trainedIn(arm.table, server.parameters),
    updates: sent.map(({ client, weight, table, parameters }) => ({
      client,
      weight,
      tensors: trainedIn(table, parameters),
    })),
    layers: layersOf(
      sent.map(({ client, weight, table, parameters, method }) => ({
        path: `client ${client}`,
        folder: pairsOf(method, table, parameters),
        weight,
      })),
    ),
  }
}

const pairsOf = (method: BoundMethod, table: ParameterTable, parameters: Float32Array) =>
  method.toPeft!(namedViews(table, parameters), '')

function moved(
  { base, table }: FederatedArm,
  server: ServerState,
  { tensors, changes }: Aggregated,
): ServerState {
  const parameters = server.parameters.slice()
  for (const [name, { data }] of namedViews(table, parameters)) data.set(tensors.get(name) ?? data)
  const weights = [...(changes ?? [])].map(([layer, change]) => {
    const name = `${layer}.weight`
    const before = server.moved.get(name) ?? base.weights.get(name)!
    return [name, before.map((w, t) => w + change[t]!)] as const
  })
  return { round: server.round + 1, parameters, moved: new Map(weights) }
}

/** Of every layer and of all together: ‖Σ p_i ΔW_i − ΔW‖/‖Σ p_i ΔW_i‖, ΔW as the server has it now. */
function biases(
  { table, plan }: FederatedArm,
  { layers }: Round,
  { parameters }: ServerState,
  { changes }: Aggregated,
): [string, number][] {
  const ofServer = () => {
    const folder = pairsOf(plan.method, table, parameters)
    return layersOf([{ path: 'the server', folder, weight: 1 }])
  }
  const made = changes ?? new Map(ofServer().map((layer) => [layer.name, exactMean(layer)]))
  const found = layers.map((layer) => aggregationBias(layer, made.get(layer.name)!))
  return [
    [ROUND_METRICS.bias, relativeBias(found)],
    ...layers.map(({ name }, i): [string, number] => [biasMetric(name), relativeBias([found[i]!])]),
  ]
}

function costsOf(
  arm: FederatedArm,
  round: number,
  answers: readonly Answer[],
): Map<string, number> {
  const { federation, table } = arm
  const { clients, strategy, privacy } = federation
  const numbersOf = (client: number) => tableAtRank(table, clients[client]!.rank).trained
  const sum = (some: readonly number[]) =>
    some.reduce((total, client) => total + numbersOf(client), 0)
  const before = round === 0 ? [] : attendanceIn(arm, round - 1).answered
  // Every client needs each stack, asked or not; an adapter goes to those that are asked.
  const down = strategy.stacks ? clients.length * sum(before) : sum(attendanceIn(arm, round).asked)
  const facts = new Map<string, number>([
    [ROUND_METRICS.clients, answers.length],
    [ROUND_METRICS.bytesUp, BYTES * sum(answers.map(({ client }) => client))],
    [ROUND_METRICS.bytesDown, BYTES * (down + (round === 0 ? startNumbers(arm) : 0))],
  ])
  if (privacy) {
    const steps = privacy.unit === 'example' ? federation.localSteps : 1
    const rho = zcdp(steps * mostAnswers(arm, round), privacy.noise)
    facts.set(ROUND_METRICS.epsilon, epsilonOf(rho, privacy.delta))
  }
  return facts
}

/** Fixed tensors that no client can draw from the seed go to each once. */
const startNumbers = ({ federation, plan, table }: FederatedArm): number =>
  plan.method.prepare ? federation.clients.length * (table.size - table.trained) : 0

/** In how many rounds up to this one the busiest client answered. */
function mostAnswers(arm: FederatedArm, last: number): number {
  const counts = arm.federation.clients.map(() => 0)
  for (let round = 0; round <= last; round++)
    for (const client of attendanceIn(arm, round).answered) counts[client]!++
  return Math.max(...counts)
}
