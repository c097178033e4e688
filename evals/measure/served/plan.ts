/** @file What of an evaluation served models can be asked, and what is left out because a server lacks what it needs. */
import type { Message, Unasked } from '../../contract/rows.ts'
import type { Capabilities, LeftOut } from '../../contract/subjects/served.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import type { Judge } from '../../judges/judge.ts'
import { JUDGES } from '../../judges/registry.ts'
import { hasOptions, type PreparedBenchmark } from '../benchmark-sources.ts'
import type { EvaluationConfig } from '../config.ts'
import { prepareFor, type AskedModel } from '../contexts.ts'
import { withJudges } from '../open-judges.ts'
import { prepareTexts, type PreparedText } from '../perplexity.ts'
import { clippedText } from './subject.ts'
import type { Lost } from './whole.ts'

/** As far as a plan needs them; all that is hoped for before a server was asked. */
export interface Abilities extends Pick<Capabilities, 'givenLogProbs' | 'systemRole'> {
  /** What of these conversations does not reach every one of the models; absent before they are asked. */
  readonly lost?: (prompts: readonly (readonly Message[])[]) => Promise<Lost | undefined>
}

const WITHOUT_ASKING: Abilities = { givenLogProbs: 'echo', systemRole: true }

export interface ServedPlan {
  readonly benchmarks: readonly PreparedBenchmark[]
  readonly unasked: readonly PreparedBenchmark[]
  /** For perplexity. */
  readonly texts: readonly PreparedText[]
  readonly leftOut: readonly LeftOut[]
}

/** @param judges further ones */
export async function servedPlan(
  config: EvaluationConfig,
  judges: readonly Judge[],
  abilities: Abilities = WITHOUT_ASKING,
): Promise<ServedPlan> {
  const prepared = withJudges(await prepareFor(config, askedModel(abilities)), judges)
  await requireWhole(prepared, abilities)
  const texts = await prepareTexts(config)
  const scores = abilities.givenLogProbs !== null
  const options = scores ? [] : prepared.filter(({ samples }) => hasOptions(samples))
  const readers = prepared
    .filter((each) => !options.includes(each))
    .map((each) => readingOnly(each, judges))
  const silent = [...new Set(readers.flatMap(({ without }) => without))]
  const kept = readers.map(({ of }) => of).filter(({ benchmark }) => benchmark.judges.length > 0)
  if (kept.length === 0 && (!scores || texts.length === 0)) {
    throw usageError(
      'Nothing of this suite can be asked of a model behind this address.',
      'Name a suite with replies in words, such as --suite general; touchstone inspect URL lists what the server lacks.',
    )
  }
  return {
    benchmarks: kept.filter(({ context }) => !context?.unasked),
    unasked: kept.filter(({ context }) => context?.unasked),
    texts: scores ? texts : [],
    leftOut: [
      ...options.map(({ benchmark }) => ({ what: 'options' as const, name: benchmark.name })),
      ...silent.map((name) => ({ what: 'judge' as const, name })),
      ...(scores ? [] : texts.map(({ name }) => ({ what: 'texts' as const, name }))),
      ...(scores ? [] : [{ what: 'neutral-loss' as const, name: null }]),
      { what: 'base-scores', name: null },
    ],
  }
}

const askedModel = ({ systemRole, lost }: Abilities): AskedModel => ({
  chats: true,
  clip: clippedText,
  async unaskedBy(prompts) {
    const has = (role: Message['role']) =>
      prompts.some((messages) => messages.some((each) => each.role === role))
    if (prompts.length === 0) return 'no-prompt'
    // A server begins a reply; few go on with one.
    if (prompts.some((messages) => messages.at(-1)?.role === 'assistant')) return 'template-refuses'
    if (has('system') && !systemRole) return 'no-system-role'
    const what = await lost?.(prompts)
    return what && UNASKED_FOR[what]
  },
})

const UNASKED_FOR: Readonly<Record<Lost, Unasked>> = {
  system: 'no-system-role',
  user: 'template-drops',
  assistant: 'template-drops',
  length: 'too-long',
  unknown: 'not-shown',
}

const TURNS_LOST = 'its server leaves earlier turns out'
const WHY: Readonly<Record<Lost, string>> = {
  system: 'its server leaves system messages out',
  user: TURNS_LOST,
  assistant: TURNS_LOST,
  length: 'its server cuts long prompts',
  unknown:
    'its server neither counts tokens nor shows its prompt, so that nothing shows that all of a conversation is given to the model',
}

/** Prompts as they are have nothing to be left out for: a benchmark of which a part is not asked is another one. */
async function requireWhole(
  benchmarks: readonly PreparedBenchmark[],
  { lost }: Abilities,
): Promise<void> {
  for (const { benchmark, samples, context } of benchmarks) {
    if (context || hasOptions(samples)) continue
    const what = await lost?.(samples.map(({ messages }) => messages))
    if (what === undefined) continue
    throw new TouchstoneError('served.partial', { benchmark: benchmark.title, why: WHY[what] })
  }
}

/** The benchmark by its judges that read replies; the others ask the model for probabilities of their own. */
function readingOnly(prepared: PreparedBenchmark, judges: readonly Judge[]) {
  const asks = (name: string) =>
    [...judges, ...JUDGES].find((judge) => judge.name === name)?.readsReplies === false
  const { benchmark } = prepared
  const without = hasOptions(prepared.samples) ? [] : benchmark.judges.filter(asks)
  const names = benchmark.judges.filter((name) => !without.includes(name))
  return { without, of: { ...prepared, benchmark: { ...benchmark, judges: names } } }
}
