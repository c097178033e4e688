/** @file What a federated arm has beside other arms: its strategy, its clients, and how often they train. A state's step is its round. */
import type { Attending } from '../../finetune/federation/split.ts'
import type { Privacy } from '../../finetune/federation/privacy.ts'
import type { BoundStrategy } from '../../finetune/federation/strategy.ts'
import type { BoundMethod } from '../../finetune/method.ts'
import type { Example } from '../../finetune/training/dataset.ts'
import type { ParameterTable } from '../../finetune/training/parameters.ts'
import type { Base } from '../../measure/base.ts'
import type { ArmPlan } from '../arm-plan.ts'

export interface Client {
  readonly examples: readonly Example[]
  readonly rank: number
  /** The strategy's method at this rank, without a start of its own. */
  readonly method: BoundMethod
}

/** What clients are to train. */
export interface RoundWork {
  readonly arm: FederatedArm
  /** From 0. */
  readonly round: number
  /** Their indices. */
  readonly clients: readonly number[]
  readonly signal: AbortSignal
}

interface FederationPlan extends Omit<Attending, 'clients'> {
  readonly strategy: BoundStrategy
  readonly clients: readonly Client[]
  /** Rank of the server's adapter, the largest of the clients'. */
  readonly rank: number
  readonly rounds: number
  /** Steps of a client in one round. */
  readonly localSteps: number
  readonly privacy: Privacy | null
  /** Trains clients in processes of their own; they train in this process if absent. Returns once all have sent. */
  readonly trainElsewhere?: ((work: RoundWork) => Promise<void>) | undefined
}

/** An arm that clients train in rounds, which are its steps. Its method is the server's, at the largest rank. */
export interface FederatedPlan extends ArmPlan {
  readonly federation: FederationPlan
}

/** `table` is of the server's adapter. */
export interface FederatedArm {
  readonly base: Base
  readonly plan: ArmPlan
  readonly federation: FederationPlan
  readonly folder: string
  readonly table: ParameterTable
}
