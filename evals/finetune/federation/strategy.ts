/**
 * @file The interface of a federated strategy: what clients train, and what the server makes of the adapters that they send.
 * One file per strategy, one line in the registry. See docs/methods/federated.md.
 */
import type { z } from 'zod'
import type { Numbers } from '../../spectra/decomposition/matrix.ts'
import type { Layer } from '../merging/merging.ts'
import type { FineTuneMethod } from '../method.ts'

export type Tensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Numbers }
>

/** What one client sends at the end of a round. */
export interface Update {
  readonly client: number
  /** p_i, its share of the rows; those of a round sum to 1. */
  readonly weight: number
  /** Its trained tensors. */
  readonly tensors: Tensors
}

export interface Round {
  /** The server's trained tensors, from which the round began. */
  readonly before: Tensors
  /** In the order of clients; at least one. */
  readonly updates: readonly Update[]
  /** The adapted layers of all updates, each part with its weight p_i. */
  readonly layers: readonly Layer[]
}

export interface Aggregated {
  /** New values of the server's trained tensors; a tensor that is not named stays. */
  readonly tensors: ReadonlyMap<string, Float64Array>
  /** ΔW `[out, in]` by layer, to be added to the base; the adapter begins anew above it. */
  readonly changes?: ReadonlyMap<string, Float64Array>
}

interface StrategyFacts {
  readonly name: string
  readonly title: string
  /** Where it is described; shown wherever the strategy is named. */
  readonly paper: string
  readonly faithfulness: 'exact' | 'simplified' | 'variant'
  readonly notes?: readonly string[]
  /** What a client trains. */
  readonly method: FineTuneMethod
  /** Whether the server takes the weighted mean of the tensors, to which noise for the privacy of clients can be added. */
  readonly isMean: boolean
  /** Whether clients may train adapters of different ranks. */
  readonly mixesRanks: boolean
  /** Whether adapters are stacked into the base: a client receives those of all others, and begins each round with a new one. */
  readonly stacks?: true
}

/** @typeParam C its own settings */
export interface Strategy<C = unknown> extends StrategyFacts {
  readonly config: z.ZodType<C>
  aggregate(round: Round, settings: C): Aggregated
}

/** A strategy with its settings parsed. */
export interface BoundStrategy extends StrategyFacts {
  readonly settings: unknown
  readonly aggregate: (round: Round) => Aggregated
}

export function bindStrategy<C>(strategy: Strategy<C>, config: unknown): BoundStrategy {
  const settings = strategy.config.parse(config)
  return { ...strategy, settings, aggregate: (round) => strategy.aggregate(round, settings) }
}
