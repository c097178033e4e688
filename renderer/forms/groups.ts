/** @file The settings of a job in four groups, so that one finds what one looks for. */
import type { FormField } from '../../evals/contract/form.ts'

interface FieldGroup {
  readonly title: string
  readonly says: string
  readonly fields: readonly FormField[]
}

interface Kind {
  readonly title: string
  readonly says: string
  /** Names, or the first parts of dotted names; the last group takes the rest. */
  readonly names: readonly string[]
}

const KINDS: readonly Kind[] = [
  {
    title: 'Model and data',
    says: 'What is fine-tuned or measured, and on what.',
    names: [
      ...['model', 'data', 'candidates', 'against', 'compress', 'merge', 'generate'],
      ...['accept', 'run', 'arm', 'preset', 'testbed', 'task', 'base', 'file', 'map'],
      ...['templateVars', 'basePrecision'],
    ],
  },
  {
    title: 'Training',
    says: 'How far and how fast it is trained, and what is looked at on the way.',
    names: [
      ...['training', 'seeds', 'ranks', 'rank', 'axes', 'along', 'refine', 'strategies', 'clients'],
      ...['badClients', 'rounds', 'localSteps', 'split', 'evalEvery', 'evalTogether', 'memory'],
      ...['leaningEvery', 'matchLoss', 'forward', 'baseSteps', 'baseSeed', 'settings', 'sampled'],
      ...['dirichletAlpha', 'dropout', 'alpha', 'targetModules', 'clientRanks'],
      ...['dpNoise', 'dpClip', 'dpUnit', 'dpDelta'],
    ],
  },
  {
    title: 'Machine and storage',
    says: 'Where it runs, with how much of it, and what is kept.',
    names: [
      ...['device', 'threads', 'batchSize', 'cache', 'cacheDir', 'on', 'partition', 'keepWeights'],
      ...[
        'cachePrecision',
        'keepMended',
        'jobs',
        'retryErrors',
        'schedulerOptions',
        'keyEnv',
        'sendPrompts',
        'sendReplies',
        'replyTimeout',
      ],
    ],
  },
  {
    title: 'Measuring',
    says: 'What is asked of it, who judges the replies, and what the verdict rests on.',
    names: [],
  },
]

/** The order in which they are shown: what is measured before where it runs. */
const ORDER = [0, 1, 3, 2] as const

/** Those that have a field. */
export function fieldGroups(fields: readonly FormField[]): FieldGroup[] {
  const kindOf = ({ path }: FormField) =>
    KINDS.find(({ names }) => names.includes(path[0]!)) ?? KINDS.at(-1)!
  const byKind = Map.groupBy(fields, kindOf)
  return ORDER.flatMap((place) => {
    const kind = KINDS[place]!
    const own = byKind.get(kind)
    return own ? [{ title: kind.title, says: kind.says, fields: own }] : []
  })
}
