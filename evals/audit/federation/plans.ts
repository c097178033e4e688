/** @file The arms of a federation: one for each strategy and seed, whose clients hold the rows that the seed gives them. */
import type { JobContext } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { sha256 } from '../../files/digest.ts'
import { boundStrategy } from '../../finetune/federation/registry.ts'
import { bind, type BoundMethod } from '../../finetune/method.ts'
import type { Example } from '../../finetune/training/dataset.ts'
import { examplesDigest } from '../../arms/arm.ts'
import type { FinishedArm } from '../../arms/arm-plan.ts'
import type { Client, FederatedPlan, RoundWork } from '../../arms/federation/federation-plan.ts'
import { evaluationSteps } from '../../contract/gate/steps.ts'
import type { Base } from '../../measure/base.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import { isEncoder } from '../../models/registry.ts'
import { tokenise } from '../arm-plans.ts'
import { rowsOfClients, type ClientData } from './client-data.ts'
import { methodSettings, rankOfClient, type FederateConfig } from './config.ts'

interface Federating {
  readonly base: Base
  readonly config: FederateConfig
  readonly data: ClientData
  readonly evaluation: EvaluationPlan | undefined
  readonly trainElsewhere?: ((work: RoundWork) => Promise<void>) | undefined
  readonly onEvaluated?: ((state: FinishedArm) => Promise<void>) | undefined
}

type Listening = Pick<JobContext, 'emit' | 'signal'>

export async function federatedPlans(
  work: Federating,
  context: Listening,
): Promise<FederatedPlan[]> {
  const plans: FederatedPlan[] = []
  for (const seed of work.config.seeds) {
    const rows = await examplesOfClients(work, seed, context)
    emitRows(rows, seed, work.config, context)
    plans.push(...work.config.strategies.map((name) => federatedPlan(work, rows, { name, seed })))
  }
  return plans
}

/** The rows of each client as tokens. */
export async function examplesOfClients(
  { base, config, data }: Federating,
  seed: number,
  context: Listening,
): Promise<(readonly Example[])[]> {
  if (isEncoder(base.model)) {
    throw usageError(
      `${base.path} names classes, and federations train models that write.`,
      'Name a causal model with --model.',
    )
  }
  const { training } = config
  const clients: (readonly Example[])[] = []
  for (const [client, conversations] of rowsOfClients(data, config, seed).entries()) {
    const title = `client ${client}`
    const examples = await tokenise(
      base,
      { title, conversations },
      { training: { ...training, steps: 1 } },
      context,
    )
    clients.push(config.dpNoise === null ? examples : inWholeBatches(examples, title, config))
  }
  return clients
}

/** A row that came twice in one step would count twice in the clipped sum: epochs begin with a step. */
function inWholeBatches(examples: readonly Example[], title: string, { training }: FederateConfig) {
  const { batchSize } = training
  const whole = examples.length - (examples.length % batchSize)
  if (whole > 0) return examples.slice(0, whole)
  throw usageError(
    `With --dp-noise a step has ${batchSize} different rows, and ${title} holds ${examples.length}.`,
    'Lower --batch-size or --clients.',
  )
}

function emitRows(
  clients: readonly (readonly Example[])[],
  seed: number,
  { data }: FederateConfig,
  { emit }: Listening,
): void {
  const all = clients.flat()
  const rows = all.length
  const role = `training data as tokens and labels, ${rows} rows of ${clients.length} clients, seed ${seed}`
  const content = { kind: 'training-data', rows } as const
  const bytes = Int32Array.BYTES_PER_ELEMENT * all.reduce((sum, { ids }) => sum + ids.length, 0)
  const digest = digestOfClients(clients)
  emit({ type: 'artifact', row: { role, path: data.join(', '), digest, bytes, content } })
}

const digestOfClients = (clients: readonly (readonly Example[])[]): string =>
  sha256(clients.map(examplesDigest).join('\n'))

export function federatedPlan(
  { config, evaluation, trainElsewhere, onEvaluated }: Federating,
  rows: readonly (readonly Example[])[],
  { name, seed }: { readonly name: string; readonly seed: number },
): FederatedPlan {
  const { rounds, localSteps, sampled, dropout, training, badClients, clients } = config
  const strategy = boundStrategy(name, config.settings)
  const ranks = rows.map((_, client) => rankOfClient(config, client))
  const rank = Math.max(...ranks)
  const method = (own: number) => bind(strategy.method, methodSettings(config, own))
  const server = method(rank)
  return {
    arm: name,
    method: strategy.stacks ? withoutAdapter(server) : server,
    seed,
    training: { ...training, steps: rounds * localSteps },
    // What the server may read before the first round.
    examples: rows.slice(0, clients - badClients).flat(),
    dataDigest: digestOfClients(rows),
    evaluation,
    // Before the first round most are their base, which is asked already.
    evaluateAt: evaluationSteps(rounds, config.evalEvery).filter(
      (round) => round > 0 || !server.identityAtStart,
    ),
    evalTogether: config.evalTogether,
    onEvaluated,
    federation: {
      ...{ strategy, rank, rounds, localSteps, dropout, trainElsewhere },
      sampled: Math.min(sampled ?? clients, clients),
      clients: rows.map((examples, client): Client => {
        const own = ranks[client]!
        return { examples, rank: own, method: withoutStart(method(own)) }
      }),
      privacy: privacyOf(config),
    },
  }
}

const privacyOf = ({
  dpNoise: noise,
  dpClip: clip,
  dpUnit: unit,
  dpDelta: delta,
}: FederateConfig) => (noise === null ? null : { unit, clip, noise, delta })

/** What was stacked into the weights ends as weights. */
function withoutAdapter({ toPeft: _, ...method }: BoundMethod): BoundMethod {
  return method
}

/** A client begins where the server is. */
function withoutStart({ prepare: _, ...method }: BoundMethod): BoundMethod {
  return method
}
