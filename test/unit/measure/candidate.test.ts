/** @file Adapters made elsewhere: which of them are said not to be what was trained. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { openCandidate } from '../../../evals/measure/candidate.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { tokenizerFilesOf, writeHfFolder } from '../../../evals/models/formats/write-hf-folder.ts'
import { modelPath } from '../../../evals/models/model-path.ts'

let base: Base
let folder: string
beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  folder = await mkdtemp(join(tmpdir(), 'touchstone-candidate-'))
  const module = 'model.layers.0.self_attn.q_proj'
  const [out, width] = base.model.weights.get(`${module}.weight`)!.shape as [number, number]
  const tensors = new Map([
    [`${module}.lora_A.weight`, { shape: [1, width], data: new Float32Array(width).fill(0.1) }],
    [`${module}.lora_B.weight`, { shape: [out, 1], data: new Float32Array(out).fill(0.1) }],
  ])
  const config = { base: 'pebble', rank: 1, alpha: 1, targetModules: ['q_proj'] }
  await writePeftFolder(folder, { config, tensors })
})
afterAll(async () => {
  await base.open.close()
  await rm(folder, { recursive: true, force: true })
})

async function warningsWith(start: unknown): Promise<readonly string[]> {
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...config, init_lora_weights: start }))
  return (await openCandidate(base, folder, 'candidate')).warnings
}

test.each(['pissa', 'pissa_niter_16', 'olora', 'corda', 'lora_ga', 'loftq'])(
  'T4: an adapter that began with %s, unconverted, is warned of',
  async (start) => {
    expect(await warningsWith(start)).toEqual([
      expect.stringContaining(`began with ${start}, which moves the base`) as string,
    ])
  },
)

test.each([true, false, null, 'gaussian', 'orthogonal'])(
  'one that began with %s is not',
  async (start) => {
    expect(await warningsWith(start)).toEqual([])
  },
)

describe('an embedding that is saved whole, on a base whose head is the embedding', () => {
  const name = 'model.embed_tokens.weight'

  async function openSaved(tying: boolean) {
    const path = await mkdtemp(join(tmpdir(), 'touchstone-tied-'))
    const { shape } = base.model.weights.get(name)!
    const data = Float32Array.from(base.weights.get(name)!, (x) => x / 2)
    const config = { base: 'pebble', rank: 1, alpha: 1, targetModules: ['q_proj'] }
    await writePeftFolder(path, {
      config,
      tensors: new Map(),
      saved: new Map([[name, { shape, data }]]),
    })
    const file = join(path, 'adapter_config.json')
    const stored = JSON.parse(await readFile(file, 'utf8')) as object
    const more = { modules_to_save: ['embed_tokens'], ensure_weight_tying: tying }
    await writeFile(file, JSON.stringify({ ...stored, ...more }))
    return openCandidate(base, path, 'candidate').finally(() =>
      rm(path, { recursive: true, force: true }),
    )
  }

  test('leaves the head with the base’s, as PEFT does', async () => {
    expect(base.model.config).toMatchObject({ tie_word_embeddings: true })
    const { weights, base: own } = await openSaved(false)
    expect(own.model.config).toMatchObject({ tie_word_embeddings: false })
    expect(own.open.checkpoint.config).toMatchObject({ tie_word_embeddings: false })
    expect(weights.read(name)[5]).toBe(base.weights.get(name)![5]! / 2)
    expect(weights.read('lm_head.weight')[5]).toBe(base.weights.get(name)![5])
  })

  test('is embedding and head where the adapter ensures the tie', async () => {
    const { weights } = await openSaved(true)
    expect(weights.read(name)[5]).toBe(base.weights.get(name)![5]! / 2)
  })
})

test('a whole model computes by its own configuration and head, not by the base’s', async () => {
  const path = join(folder, 'whole')
  const embedding = base.weights.get('model.embed_tokens.weight')!
  const { shape } = base.model.weights.get('model.embed_tokens.weight')!
  const weights = [...base.model.weights.values()].map((spec) => ({
    name: spec.name,
    shape: spec.shape,
    data: base.weights.get(spec.name)!,
  }))
  const head = { name: 'lm_head.weight', shape, data: embedding.map((x) => x / 2) }
  const own = { tie_word_embeddings: false, rope_theta: 5e5 }
  await writeHfFolder(path, {
    config: { ...base.open.checkpoint.config, ...own },
    weights: [...weights, head],
    tokenizerFiles: await tokenizerFilesOf(modelPath('pebble')),
  })
  const candidate = await openCandidate(base, path, 'candidate')
  expect(candidate.base.model.config).toMatchObject(own)
  expect(candidate.base.model.weights.has('lm_head.weight')).toBe(true)
  expect(candidate.weights.read('lm_head.weight')[5]).toBe(embedding[5]! / 2)
})
