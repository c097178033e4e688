/** @file Candidates that are adapters of one base are measured side by side, and as each is by itself. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openBase, type Base } from '../../../evals/audit/base.ts'
import { writePeftFolder } from '../../../evals/models/peft-folder.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { freshFolder } from '../../doubles/command-line.ts'
import { evaluated, type Evaluated } from '../../doubles/evaluated.ts'

interface Adapter {
  readonly seed: number
  readonly rank: number
  readonly modules: readonly string[]
  readonly magnitudes?: true
}

/** A PEFT folder for Pebble, changing it enough that its replies are others. */
async function adapterOf(
  base: Base,
  { seed, rank, modules, magnitudes }: Adapter,
): Promise<string> {
  const folder = join(freshFolder(), `adapter-${seed}`)
  const { normal } = randomStream(seed, 'adapter')
  const tensor = (shape: readonly number[], size: number, mean = 0) => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      () => mean + size * normal(),
    ),
  })
  const tensors = [...base.model.weights.values()].flatMap(({ name, module, shape }) => {
    if (!modules.includes(module ?? '')) return []
    const [out, width] = shape as [number, number]
    const layer = name.slice(0, -'.weight'.length)
    return [
      [`${layer}.lora_A.weight`, tensor([rank, width], 1 / Math.sqrt(width))] as const,
      [`${layer}.lora_B.weight`, tensor([out, rank], 0.05)] as const,
      ...(magnitudes ? [[`${layer}.lora_magnitude_vector`, tensor([out], 0.01, 1)] as const] : []),
    ]
  })
  const config = { base: 'pebble', rank, alpha: 3, targetModules: [...modules] }
  await writePeftFolder(folder, {
    config: { ...config, useDora: magnitudes ?? false },
    tensors: new Map(tensors),
  })
  return folder
}

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
  const candidates = [
    await adapterOf(base, { seed: 1, rank: 4, modules: LAYERS }),
    await adapterOf(base, { seed: 2, rank: 8, modules: LAYERS }),
    await adapterOf(base, { seed: 3, rank: 4, modules: LAYERS, magnitudes: true }),
    await adapterOf(base, { seed: 4, rank: 4, modules: ['up_proj'] }),
    await adapterOf(base, { seed: 5, rank: 16, modules: LAYERS }),
  ]
  await base.open.close()
  together = await evaluated({ ...config, candidates })
  alone = []
  for (const candidate of candidates)
    alone.push(await evaluated({ ...config, candidates: [candidate] }))
}, 240_000)

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
