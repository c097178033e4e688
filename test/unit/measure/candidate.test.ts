/** @file Adapters made elsewhere: which of them are said not to be what was trained. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { openCandidate } from '../../../evals/measure/candidate.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'

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
