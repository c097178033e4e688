/** @file One fine-tune in each form that a candidate may have: GGUF, merged model and adapter are asked alike and answer alike. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openBase } from '../../../evals/measure/base.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { readPeftFolder, writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { adaptedWeights } from '../../../evals/models/weights/tuned-weights.ts'
import { tokenizerFilesOf, writeHfFolder } from '../../../evals/models/formats/write-hf-folder.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { evaluated, type Evaluated } from '../../doubles/runs/evaluated.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../doubles/models/tiny-gguf.ts'

const CPU = { name: 'cpu', threads: 1 } as const
const MODULE = 'model.layers.0.mlp.up_proj'
const RANK = 2

function gguf(seed: number): string {
  const path = join(freshFolder(), `seed-${seed}.gguf`)
  const metadata = { 'llama.context_length': { type: 'u32', value: 512 } } as const
  writeFileSync(path, ggufBytes({ ...tinyGgufMetadata(), ...metadata }, tinyGgufTensors(seed)))
  return path
}

/** The model at `path` as a Hugging Face folder, an adapter added if there is one. */
async function merged(path: string, adapter?: string): Promise<string> {
  const folder = freshFolder()
  const { model, weights, open } = await openBase(path, CPU, 4)
  const tuned = adapter && adaptedWeights(weights, await readPeftFolder(adapter), adapter)
  await writeHfFolder(folder, {
    config: open.checkpoint.config,
    weights: [...model.weights.values()].map(({ name, shape }) => ({
      name,
      shape,
      data: tuned ? tuned.read(name) : weights.get(name)!,
    })),
    tokenizerFiles: await tokenizerFilesOf(path),
  })
  await open.close()
  return folder
}

async function adapterOf(path: string): Promise<string> {
  const folder = freshFolder()
  const { model, open } = await openBase(path, CPU, 4)
  const [out, width] = model.weights.get(`${MODULE}.weight`)!.shape as [number, number]
  await open.close()
  const { normal } = randomStream(3, 'adapter')
  const tensor = (...shape: [number, number]) => ({
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, () => 0.3 * normal()),
  })
  const tensors = new Map([
    [`${MODULE}.lora_A.weight`, tensor(RANK, width)],
    [`${MODULE}.lora_B.weight`, tensor(out, RANK)],
  ])
  const config = { base: path, rank: RANK, alpha: RANK, targetModules: ['up_proj'] }
  await writePeftFolder(folder, { config, tensors })
  return folder
}

let found: Evaluated
const repliesOf = (place: number) => {
  const { arm } = found.rows.subjects[place]!
  const sealed = new Map(
    found.sealed.filter((row) => row.arm === arm).map((row) => [row.sampleId, row.text]),
  )
  return found.rows.replies
    .filter((row) => row.arm === arm)
    .map(({ sampleId, text, meanLogProb, baseMeanLogProb }) => ({
      sampleId,
      meanLogProb,
      baseMeanLogProb,
      text: text ?? sealed.get(sampleId),
    }))
}

beforeAll(async () => {
  const [model, tuned] = [gguf(1), gguf(2)]
  const adapter = await adapterOf(model)
  const candidates = [tuned, await merged(tuned), adapter, await merged(model, adapter)]
  found = await evaluated({ model, candidates, limit: 3, threads: 1 })
})

test.each([
  ['a GGUF and the same as a merged model', 1, 2],
  ['an adapter and the same merged', 3, 4],
])('%s', (_, one, other) => {
  expect(repliesOf(one)).toHaveLength(9)
  expect(repliesOf(other)).toEqual(repliesOf(one))
  expect(repliesOf(one)).not.toEqual(repliesOf(0))
})

test('each is an arm of its own, compared with the base, known by its digests', () => {
  const { comparisons, subjects } = buildResults(found.rows)
  expect(subjects).toHaveLength(5)
  expect(new Set(comparisons.map(({ arm }) => arm))).toEqual(
    new Set(subjects.slice(1).map(({ arm }) => arm)),
  )
  const digests = subjects.map(({ weightsDigest, adapterDigest }) => [weightsDigest, adapterDigest])
  expect(new Set(digests.map(String)).size).toBe(5)
  expect(digests[3]).toEqual([digests[0]![0], expect.stringMatching(/^[0-9a-f]{64}$/) as string])
})
