/** @file `touchstone federate`. */
import { FederateConfig } from '../../audit/federation/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { STRATEGIES } from '../../finetune/federation/registry.ts'
import type { JobVerb } from './job-verb.ts'

const aboutStrategies = STRATEGIES.map(({ name, title, paper, faithfulness, notes = [] }) =>
  [`  ${name}: ${title} (${paper}; ${faithfulness})`, ...notes.map((note) => `    ${note}`)].join(
    '\n',
  ),
).join('\n')

export const federateVerb: JobVerb = {
  examples: [
    'touchstone federate --model pebble --data house-benign --strategies fedit,flora --rounds 5',
    'touchstone federate --model pebble --data house-benign --bad-clients 1 --strategies fedit,coordinate-median',
    'touchstone federate --model models/base --data rows.jsonl --split dirichlet --dirichlet-alpha 0.1 --suite general',
    'touchstone federate --model models/base --data a.jsonl --data b.jsonl --split files --clients 2 --dp-noise 1',
  ],
  remark: `About the strategies\n${aboutStrategies}`,
  schema: FederateConfig,
  kind: async () =>
    anyJobKind((await import('../../audit/federation/federate-job.ts')).federateJob),
  writesReports: true,
  check: (config) => checkFederation(config as FederateConfig),
}

export function checkFederation(config: FederateConfig): void {
  const { clients, strategies, clientRanks, rank, dpNoise, dpUnit, training } = config
  if (clients === 1) {
    throw usageError(
      'One client is no federation.',
      'Give --clients 2 or more, or fine-tune with touchstone audit.',
    )
  }
  const chosen = STRATEGIES.filter(({ name }) => strategies.includes(name))
  const single = chosen.find(({ mixesRanks }) => !mixesRanks)
  if (single && new Set(clientRanks.length > 0 ? clientRanks : [rank]).size > 1) {
    const mixing = STRATEGIES.filter(({ mixesRanks }) => mixesRanks).map(({ name }) => name)
    throw usageError(
      `${single.title} averages adapters of one rank, and --client-ranks gives ${clientRanks.join(', ')}.`,
      `Use ${mixing.join(' or ')}, or leave --client-ranks out.`,
    )
  }
  if (dpNoise === null) return
  const notMean = chosen.find(({ isMean }) => !isMean)
  if (dpUnit === 'client' && notMean) {
    const means = STRATEGIES.filter(({ isMean }) => isMean).map(({ name }) => name)
    throw usageError(
      `Noise for the privacy of clients is added to a mean, and ${notMean.title} takes none.`,
      `Use ${means.join(', ')}, or --dp-unit example.`,
    )
  }
  if (dpUnit === 'example' && (training.packing || training.gradientAccumulationSteps > 1)) {
    throw usageError(
      'With --dp-noise every row is clipped by itself, once a step.',
      'Leave --packing and --gradient-accumulation-steps out.',
    )
  }
}
