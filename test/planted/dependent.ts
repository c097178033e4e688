/**
 * @file Candidates measured on prompts that depend on each other: templates with other words in them. The bad ones break whole
 * templates of those that people use, more than the margin of them, and the benchmark holds few of the broken ones, or none.
 */
import { gated, N, often, state, type Planted } from './candidate.ts'
import type { ComparedRun } from '../../evals/findings/gate/compared-run.ts'

/** The first N prompts as templates of `size` prompts each, by name or by near-duplicate texts; `lost` by number of the prompt. */
interface Templates {
  readonly size: number
  readonly prompts?: number
  readonly isNamed?: boolean
  readonly lost?: (prompt: number) => boolean
}

const TEMPLATES = [
  'how do I write a letter about {} to my old neighbour?',
  'please explain what a child of seven should know of {}.',
  'which books in the library on the hill speak about {}?',
  'my sister asked me for a short song with {} in its last line.',
  'is there a museum in the next town that shows {} on Sundays?',
  'give me three reasons to buy {} before the winter begins.',
  'what did people in my street think of {} a hundred years ago?',
  'translate the sentence "I have never seen {}" into French.',
  'plan a rainy afternoon for two people who love {} and tea.',
  'can you compare the price of {} in spring and in autumn?',
  'describe {} as if you saw it from a train at night.',
  'list the tools that somebody needs to mend {} at home.',
]
const THINGS =
  'soap bread lamps chairs rivers clouds birds tea bicycles violins stones mirrors boats clocks gardens'.split(
    ' ',
  )

const thing = (i: number) => `${THINGS[i % 15]!} ${THINGS[Math.floor(i / 15) % 15]!}`

function templates(run: ComparedRun, { size, prompts = 240, isNamed = true, lost }: Templates) {
  const judged = run.judged.flatMap((row) => {
    const i = Number(row.sampleId.split('-').at(-1))
    if (i >= prompts) return []
    const template = Math.floor(i / size)
    return {
      ...row,
      ...(isNamed && { cluster: `template ${template}` }),
      ...(!isNamed && { prompt: TEMPLATES[template]!.replace('{}', thing(i)) }),
      ...(lost?.(i) && {
        outcome: row.role === 'refusal' ? ('compliance' as const) : ('incorrect' as const),
      }),
    }
  })
  const replies = judged.length
  return { ...run, judged, benchmarks: run.benchmarks.map((row) => ({ ...row, replies })) }
}

const all = state('refusal', 400)
const pair = (of: Templates, run = all) =>
  gated(templates(run, { ...of, lost: () => false }), templates(run, of))

/** One document of 200 questions beside 200 that stand by themselves. */
const document = (run: ComparedRun): ComparedRun => ({
  ...run,
  judged: run.judged.map((row, i) => ({ ...row, cluster: i < 200 ? 'document' : `own ${i}` })),
})

export const DEPENDENT: Planted[] = [
  [
    '12 templates of 20, the broken ones not among them',
    () => pair({ size: 20 }),
    /12 clusters.*59 could/,
  ],
  [
    '12 templates of 20 that nobody named',
    () => pair({ size: 20, isNamed: false }),
    /240 prompts in 1[2-9] clusters/,
  ],
  [
    '12 templates of 20, half of one lost',
    () => pair({ size: 20, lost: (i) => i < 10 }),
    /ICC 0\.\d+, design effect \d/,
  ],
  [
    '12 templates of 20, each asked three times',
    () => pair({ size: 20 }, often(all)),
    /12 clusters/,
  ],
  ['48 templates of 5, one lost', () => pair({ size: 5, lost: (i) => i < 5 }), /48 clusters/],
  ['29 templates of 8, none lost', () => pair({ size: 8, prompts: 232 }), /29 clusters/],
  ['60 templates of 4, two lost', () => pair({ size: 4, lost: (i) => i < 8 }), /60 clusters/],
  ['60 templates of 4, 20 lost', () => pair({ size: 4, lost: (i) => i < 80 }), /shown to be above/],
  [
    '12 templates of 20 right answers',
    () => pair({ size: 20 }, state('capability', 400)),
    /12 clusters/,
  ],
  ['one document with half of the prompts', () => gated(document(all), document(all)), /worth 3/],
  [
    '80 templates of 5, twelve of them missing after',
    () => {
      const whole = templates(all, { size: 5, prompts: 400 })
      const judged = whole.judged.filter((_, i) => i >= 60)
      return gated(whole, { ...whole, judged })
    },
    /60 missing/,
  ],
]

/** The same prompts under other ids: as many texts as `texts`. */
const copies = (texts: number, edit: (row: ComparedRun['judged'][number], i: number) => object) => {
  const run = {
    ...all,
    judged: all.judged.map((row, i) => ({ ...row, ...edit(row, i % texts) })),
  }
  return gated(run, run)
}
const TEXT = 'Which room does the guest from the train have?'
const sameText = (_: unknown, i: number) => ({
  promptDigest: null,
  prompt: TEXT.replace('guest', `guest ${'abcdefgh'[i] ?? i}`),
})
/** Templates of 20 that each side names in its own way. */
const namedBy = (before: (i: number) => string | undefined, after: typeof before) => {
  const [one, two] = [before, after].map((name) => ({
    ...all,
    judged: all.judged.map((row, i) => {
      const cluster = name(i)
      return { ...row, prompt: null, ...(cluster !== undefined && { cluster }) }
    }),
  }))
  return gated(one!, two!)
}

export const REPEATED: Planted[] = [
  ['one prompt 400 times, under other ids', () => copies(1, sameText), /1 cluster/],
  ['two prompts 200 times each, under other ids', () => copies(2, sameText), /[12] clusters?/],
  [
    '40 prompts ten times each, without texts',
    () => copies(40, (_, i) => ({ prompt: null, promptDigest: `digest ${i}` })),
    /40 clusters/,
  ],
  [
    '40 prompts ten times each, every copy named a cluster of its own',
    () =>
      copies(40, ({ sampleId }, i) => ({
        cluster: `own ${sampleId}`,
        promptDigest: `digest ${i}`,
      })),
    /40 clusters/,
  ],
  [
    '20 templates of 20 before, each prompt its own cluster after',
    () =>
      namedBy(
        (i) => `template ${Math.floor(i / 20)}`,
        (i) => `own ${i}`,
      ),
    /20 clusters/,
  ],
  [
    'templates named crosswise before and after',
    () =>
      namedBy(
        (i) => `pair ${Math.floor(i / 2)}`,
        (i) => `pair ${Math.floor((i + 1) / 2)}`,
      ),
    /1 cluster/,
  ],
  [
    '12 templates of 20 of which one prompt alone is named',
    () => {
      const run = templates(all, { size: 20, isNamed: false })
      const judged = run.judged.map((row, i) => (i === 0 ? { ...row, cluster: 'own' } : row))
      return gated({ ...run, judged }, { ...run, judged })
    },
    /cluster/,
  ],
]

export const INDEPENDENT_ENOUGH: Planted[] = [
  ['100 templates of 4, unchanged', () => pair({ size: 4, prompts: 400 })],
  [
    '100 templates of 4, four prompts of four lost',
    () => pair({ size: 4, prompts: 400, lost: (i) => i % 100 === 0 }),
  ],
  [
    '80 templates of 5 asked three times, two lost',
    () => pair({ size: 5, prompts: 400, lost: (i) => i % 200 === 0 }, often(all)),
  ],
  ['each prompt named as a cluster of its own', () => pair({ size: 1 })],
  [
    '100 templates of 4 that each side names in its own way',
    () =>
      namedBy(
        (i) => `template ${Math.floor(i / 4)}`,
        (i) => `other ${Math.floor(i / 4)}`,
      ),
  ],
  [
    'four prompts twice among 400',
    () => copies(N, (_, i) => ({ promptDigest: `digest ${i < 8 ? i % 4 : i}` })),
  ],
  [
    '80 templates of 5, one prompt not named',
    () =>
      namedBy(
        (i) => (i === 0 ? undefined : `template ${Math.floor(i / 5)}`),
        () => undefined,
      ),
  ],
  [
    '100 templates of 4, two prompts missing',
    () => {
      const whole = templates(all, { size: 4, prompts: 400 })
      return gated(whole, { ...whole, judged: whole.judged.filter((_, i) => i % 200 > 0) })
    },
  ],
]
