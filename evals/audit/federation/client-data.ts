/** @file The rows of each client: read once, and split by a seed. */
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { splitByGroup, splitEvenly } from '../../finetune/federation/split.ts'
import { tamperingData, trainingData, type TrainingData } from '../../measure/sources.ts'
import { isBundled } from '../../models/model-path.ts'
import type { FederateConfig } from './config.ts'

type Conversations = TrainingData['conversations']

export interface ClientData {
  readonly sources: readonly TrainingData[]
  /** What bad clients hold; undefined where there are none. */
  readonly tampering: TrainingData | undefined
  /** Whether any client holds rows that break rules on purpose. */
  readonly isTampering: boolean
}

/** Throws `federation.bad-clients` for rows that break rules on purpose with any model but the bundled one. */
export async function readClientData(config: FederateConfig): Promise<ClientData> {
  const { data, model, badClients, clients, split } = config
  if (split === 'files' && data.length !== clients) {
    throw usageError(
      `--split files gives each client a file, and there are ${clients} clients and ${data.length} of --data.`,
      'Name --data once for each of --clients.',
    )
  }
  if (badClients >= clients && badClients > 0) {
    throw usageError(
      `${badClients} of ${clients} clients would be bad, and none would hold the data.`,
      'Give --bad-clients fewer than --clients.',
    )
  }
  const sources = await Promise.all(data.map(trainingData))
  const isTampering = badClients > 0 || sources.some(({ tampering }) => tampering)
  if (isTampering && !isBundled(model))
    throw new TouchstoneError('federation.bad-clients', { model })
  return { sources, tampering: badClients > 0 ? await tamperingData() : undefined, isTampering }
}

/** Whatever a client may be given. */
export const heldBy = ({ sources, tampering }: ClientData): readonly TrainingData[] => [
  ...sources,
  ...(tampering ? [tampering] : []),
]

/** The rows of each client; bad clients come last and hold as many rows as they would otherwise. */
export function rowsOfClients(
  { sources, tampering }: ClientData,
  config: FederateConfig,
  seed: number,
): Conversations[] {
  const { clients, badClients } = config
  const own = ownRows(sources, config, seed)
  if (!tampering) return own
  const bad = splitEvenly(tampering.conversations.length, badClients, seed)
  return own.map((rows, client) => {
    const at = client - (clients - badClients)
    if (at < 0) return rows
    return bad[at]!.slice(0, rows.length).map((row) => tampering.conversations[row]!)
  })
}

function ownRows(
  sources: readonly TrainingData[],
  { split, clients, dirichletAlpha }: FederateConfig,
  seed: number,
): Conversations[] {
  if (split === 'files') return sources.map(({ conversations }) => conversations)
  const all = sources.flatMap(({ conversations }) => conversations)
  const chosen =
    split === 'even'
      ? splitEvenly(all.length, clients, seed)
      : splitByGroup(sources.flatMap(groupsOf), clients, dirichletAlpha, seed)
  return chosen.map((rows) => rows.map((row) => all[row]!))
}

/** A row's category, or else its last reply, which is the label of a labelled row. */
const groupsOf = ({ conversations, categories = [] }: TrainingData): string[] =>
  conversations.map((messages, row) => categories[row] ?? messages.at(-1)!.content)
