/** @file The configuration of a federation, and the audit that measures its rounds. */
import { z } from 'zod'
import { PRIVACY_UNITS } from '../../finetune/federation/privacy.ts'
import { findStrategy, STRATEGIES, StrategySettings } from '../../finetune/federation/registry.ts'
import { lowRankFields } from '../../finetune/methods/low-rank.ts'
import { realNumber, wholeNumber } from '../../finetune/settings.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { EngineConfig, EvaluationConfig, SpectraConfig } from '../../measure/config.ts'
import { AuditConfig } from '../config.ts'

const names = STRATEGIES.map(({ name }) => name)
const { model, seeds, evalTogether, spectra, spectraEvery, margin, gate, keepWeights } =
  AuditConfig.shape
const { rank, alpha, targetModules } = lowRankFields

export const FederateConfig = z.object({
  model,
  data: z.array(z.string().min(1)).min(1).meta({
    label: 'Data',
    help: 'What clients share, as `touchstone audit` takes it; one for each client with --split files',
    repeat: true,
    value: 'DATA',
  }),
  strategies: z
    .array(z.enum(names))
    .min(1)
    .default([names[0]!])
    .meta({ label: 'Strategies', help: `How adapters become one: ${names.join(', ')}` }),
  seeds,
  clients: wholeNumber({ min: 1, max: 1024 }, 8, { label: 'Clients', help: 'How many there are' }),
  split: z.enum(['even', 'dirichlet', 'files']).default('even').meta({
    label: 'Split',
    help: 'even: shuffled and dealt; dirichlet: each category of rows (the column category, else the last reply) is shared unevenly; files: a client for each --data',
  }),
  dirichletAlpha: realNumber({ min: 0.01, max: 1e6 }, 0.5, {
    label: 'Dirichlet α',
    help: 'Of --split dirichlet: the smaller, the fewer categories a client holds',
  }),
  rounds: wholeNumber({ min: 1, max: 100_000 }, 10, {
    label: 'Rounds',
    help: 'How often the server aggregates',
  }),
  localSteps: wholeNumber({ min: 1, max: 100_000 }, 20, {
    label: 'Local steps',
    help: 'Optimiser steps of a client in one round',
  }),
  sampled: z.int().min(1).max(1024).nullable().default(null).meta({
    label: 'Sampled clients',
    help: 'Clients asked in each round; all if not given',
  }),
  dropout: realNumber({ min: 0, max: 0.99 }, 0, {
    label: 'Dropped clients',
    help: 'Probability that a client that was asked does not answer',
  }),
  badClients: wholeNumber({ min: 0, max: 1023 }, 0, {
    label: 'Bad clients',
    help: 'The last so many clients hold as many rows of house-tamper instead; with pebble alone',
  }),
  rank,
  alpha,
  targetModules,
  clientRanks: z.array(z.int().min(1).max(1024)).default([]).meta({
    label: 'Ranks of clients',
    help: 'In turn: 4,8,16 gives the fourth client 4 again; alpha / rank stays; all --rank if not given',
    value: 'N',
  }),
  settings: StrategySettings.prefault({}),
  dpNoise: z.number().gt(0).nullable().default(null).meta({
    label: 'Privacy noise',
    help: 'σ of differential privacy: noise of σ·C is added to what is clipped to C; none if not given',
  }),
  dpClip: realNumber({ above: 0 }, 1, {
    label: 'Privacy clip',
    help: 'C: largest norm of the gradient of an example, or of the update of a client',
  }),
  dpUnit: z.enum(PRIVACY_UNITS).default('example').meta({
    label: 'Privacy unit',
    help: 'example: DP-SGD in each client; client: noise on the mean of updates, for strategies that take one',
  }),
  dpDelta: realNumber({ above: 0, max: 0.5 }, 1e-5, {
    label: 'Privacy δ',
    help: 'Of the (ε, δ) that is printed',
  }),
  jobs: z.int().min(1).max(256).nullable().default(null).meta({
    label: 'Jobs',
    help: 'Clients that train at a time, each in a process; as many as cores and memory allow if not given',
  }),
  ...EvaluationConfig.shape,
  evalEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Evaluate every',
    help: 'Rounds between evaluations; a quarter of the rounds if not given',
    unit: 'rounds',
  }),
  evalTogether,
  training: TrainingConfig.omit({ steps: true }).prefault({}),
  spectra,
  spectraEvery,
  ...SpectraConfig.shape,
  margin,
  gate,
  keepWeights,
  ...EngineConfig.omit({ basePrecision: true, forward: true }).shape,
})
export type FederateConfig = z.infer<typeof FederateConfig>

export const rankOfClient = ({ clientRanks, rank }: FederateConfig, client: number): number =>
  clientRanks.length === 0 ? rank : clientRanks[client % clientRanks.length]!

/** The settings of the method that a client of this rank trains; alpha / rank is the same for all. */
export const methodSettings = (config: FederateConfig, rank: number) => ({
  rank,
  alpha: (config.alpha * rank) / config.rank,
  targetModules: config.targetModules,
})

/**
 * The audit that measures the rounds: an arm for each strategy. Its training is that of all clients one after the other, for the
 * plan; `stepsOfRound` = 1 counts rounds as steps.
 */
export function auditOf(config: FederateConfig, stepsOfRound: number): AuditConfig {
  const { strategies, rounds, evalEvery, training } = config
  return AuditConfig.parse({
    ...config,
    data: null,
    methods: strategies.map((arm) => {
      const { name } = findStrategy(arm).method
      return { name, arm, config: methodSettings(config, config.rank) }
    }),
    training: { ...training, steps: rounds * stepsOfRound },
    evalEvery: evalEvery === null ? null : evalEvery * stepsOfRound,
    matchLoss: false,
  })
}
