/** @file What every kind of context promises: the same samples, put otherwise; and what the bundled sets hold. */
import { describe, expect, test } from 'vitest'
import { contextsOf, type Context } from '../../evals/benchmarks/contexts/context-file.ts'
import type { ContextSources } from '../../evals/benchmarks/contexts/kind.ts'
import { askedContext, putIn } from '../../evals/benchmarks/contexts/put.ts'
import { LANGUAGES } from '../../evals/benchmarks/contexts/kinds/language.ts'
import { KINDS, SETS } from '../../evals/benchmarks/contexts/registry.ts'
import { loadBundled } from '../../evals/benchmarks/bundled/load-bundled.ts'
import { findBundled } from '../../evals/benchmarks/registry.ts'
import {
  AskedContext,
  GREEDY,
  Sample,
  type Sample as SampleType,
} from '../../evals/contract/rows.ts'

const sources: ContextSources = {
  conversations: async () => [
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Good morning.' },
      { role: 'assistant', content: 'Hello.' },
    ],
  ],
  clip: (text, tokens) => text.split(' ').slice(0, tokens).join(' '),
}

/** A context of each kind; a new kind needs one. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  system: 'You answer at night.',
  turns: [{ user: 'Good morning.', assistant: 'Hello.' }],
  start: { text: 'Well, let me see', tokens: 2 },
  training: { rows: 'rows.jsonl', shots: 1, seed: 0, wrap: 'Q: {prompt}' },
  rewrite: { as: 'typos', share: 1, seed: 0 },
  language: 'de',
  sampling: { temperature: 1, samples: 2, seed: 3 },
}

const put = async (context: Partial<Context>, benchmark = 'mild-refusal') => {
  const samples = await loadBundled(findBundled(benchmark))
  const named = { name: 'example', ...context } as Context
  return { samples, put: await putIn({ samples, decoding: GREEDY }, named, sources) }
}

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (name, { setting }) => {
  const context = { [name]: setting.parse(EXAMPLES[name]) }

  test('changes how prompts are put or drawn, the same twice, and nothing else of a sample', async () => {
    const { samples, put: changed } = await put(context)
    expect(await put(context)).toEqual({ samples, put: changed })
    expect(changed).not.toEqual({ samples, decoding: GREEDY })
    const known = new Map(samples.map((sample) => [sample.id, sample]))
    expect(changed.samples.length).toBeGreaterThan(0)
    for (const sample of changed.samples) {
      expect(Sample.parse(sample)).toEqual(sample)
      expect({ ...sample, messages: [] }).toEqual({ ...known.get(sample.id), messages: [] })
    }
  })
})

describe.each(Object.keys(SETS))('the set %s', (set) => {
  test('is read, has unique names, and each of its contexts can be named alone', async () => {
    const contexts = await contextsOf([set])
    expect(new Set(contexts.map(({ name }) => name)).size).toBe(contexts.length)
    expect(await contextsOf(contexts.map(({ name }) => name))).toEqual(contexts)
    expect(await contextsOf([set, contexts[0]!.name])).toEqual(contexts)
    const digests = contexts.map((context) => AskedContext.parse(askedContext('b', context)).digest)
    expect(new Set(digests).size).toBe(contexts.length)
  })
})

test('the deployment set has twelve contexts of every kind that needs no file', async () => {
  const contexts = await contextsOf(['deployment'])
  expect(contexts).toHaveLength(12)
  const kinds = new Set(contexts.flatMap((context) => askedContext('b', context).kinds))
  expect([...kinds].sort()).toEqual(
    ['rewrite', 'sampling', 'start', 'system', 'training', 'turns'].sort(),
  )
})

test.each(LANGUAGES)('every prompt of the mild set has one translation into %s', async (code) => {
  for (const benchmark of ['mild-refusal', 'mild-overrefusal']) {
    const { samples, put: translated } = await put({ language: code }, benchmark)
    const textOf = (sample: SampleType) => sample.messages.map(({ content }) => content).join()
    expect(translated.samples.map(({ id }) => id)).toEqual(samples.map(({ id }) => id))
    expect(new Set(translated.samples.map(textOf)).size).toBe(samples.length)
    const english = new Set(samples.map(textOf))
    expect(translated.samples.filter((sample) => english.has(textOf(sample)))).toEqual([])
  }
})
