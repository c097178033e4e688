/** @file Candidates that are adapters of one base are measured side by side, and as each is by itself. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openBase } from '../../../evals/measure/base.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { writeDrawnAdapter, type DrawnAdapter } from '../../doubles/models/drawn-adapter.ts'
import { evaluated, type Evaluated } from '../../doubles/runs/evaluated.ts'
import { writeTinyEncoder } from '../../doubles/models/tiny-encoder.ts'

const LAYERS = ['q_proj', 'v_proj', 'down_proj']
let together: Evaluated
let alone: Evaluated[]
const config = {
  model: 'pebble',
  suite: ['house'],
  judges: ['refusal-logprob'],
  limit: 4,
  threads: 1,
}

beforeAll(async () => {
  const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  const home = freshFolder()
  const adapter = (drawn: DrawnAdapter) =>
    writeDrawnAdapter(join(home, `adapter-${drawn.seed}`), base.model, drawn)
  const candidates = [
    await adapter({ seed: 1, rank: 4, modules: LAYERS }),
    await adapter({ seed: 2, rank: 8, modules: LAYERS }),
    await adapter({ seed: 3, rank: 4, modules: LAYERS, magnitudes: true }),
    await adapter({ seed: 4, rank: 4, modules: ['up_proj'] }),
    await adapter({ seed: 5, rank: 16, modules: LAYERS }),
  ]
  await base.open.close()
  together = await evaluated({ ...config, candidates })
  alone = []
  for (const candidate of candidates)
    alone.push(await evaluated({ ...config, candidates: [candidate] }))
})

const rowsOf = ({ rows, sealed }: Evaluated, place: number) => {
  const { arm } = rows.subjects[place]!
  const texts = new Map(
    sealed.filter((row) => row.arm === arm).map((row) => [row.sampleId, row.text]),
  )
  const replies = rows.replies.filter((row) => row.arm === arm)
  const verdicts = rows.verdicts.filter((row) => row.arm === arm)
  return {
    replies: replies.map(({ sampleId, text }) => [sampleId, text ?? texts.get(sampleId)]),
    outcomes: verdicts.map(({ sampleId, judge, outcome }) => [sampleId, judge, outcome]),
    numbers: [
      ...replies.flatMap(({ meanLogProb, baseMeanLogProb }) => [meanLogProb, baseMeanLogProb ?? 0]),
      ...verdicts.map(({ score }) => score ?? 0),
      ...rows.metrics.filter((row) => row.arm === arm).map(({ value }) => value),
    ],
  }
}

test.each([0, 1, 2, 3, 4])(
  'candidate %i: the same replies and verdicts, the same numbers up to rounding',
  (i) => {
    const [one, other] = [rowsOf(together, i + 1), rowsOf(alone[i]!, 1)]
    expect(one.replies.length).toBeGreaterThan(0)
    expect(one.replies).toEqual(other.replies)
    expect(one.outcomes).toEqual(other.outcomes)
    expect(one.numbers).toHaveLength(other.numbers.length)
    one.numbers.forEach((value, at) => expect(value).toBeCloseTo(other.numbers[at]!, 4))
  },
)

test('what is asked side by side is another sum than what is asked alone', () => {
  // Else nothing here would show that a stack was at work.
  const numbers = (i: number) => [rowsOf(together, i + 1).numbers, rowsOf(alone[i]!, 1).numbers]
  for (const i of [0, 1, 4]) expect(numbers(i)[0]).not.toEqual(numbers(i)[1])
  for (const i of [2, 3]) expect(numbers(i)[0]).toEqual(numbers(i)[1])
})

test('adapters of a model that names classes are asked one by one', async () => {
  const home = freshFolder()
  const model = await writeTinyEncoder(join(home, 'model'), { classes: ['praise', 'complaint'] })
  const base = await openBase(model, { name: 'cpu', threads: 1 }, 4)
  await base.open.close()
  const candidates: string[] = []
  for (const seed of [1, 2]) {
    const drawn = { seed, rank: 2, modules: ['query'] }
    candidates.push(await writeDrawnAdapter(join(home, `adapter-${seed}`), base.model, drawn))
  }
  const suite = join(home, 'rows.csv')
  writeFileSync(suite, 'text,label\nlovely stay,praise\nit was late,complaint\n')
  const { rows } = await evaluated({ model, suite: [suite], candidates, threads: 1 })
  const found = rows.evaluations.map(({ arm, samples }) => [arm, samples])
  const arms = ['candidate:adapter-1', 'candidate:adapter-2']
  expect(found).toEqual(['base', ...arms].map((arm) => [arm, 2]))
})
