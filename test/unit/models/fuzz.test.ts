/**
 * @file Thousands of damaged files: each opens with what it declares, or is refused by name; none hangs, crashes or
 * makes this process allocate more than the file could need.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { openHfCheckpoint } from '../../../evals/models/formats/hf-folder.ts'
import { sourcesOf } from '../../../evals/models/model-sources.ts'
import { parseJsonObject } from '../../../evals/files/read-file.ts'
import { openOnnx } from '../../../evals/models/formats/onnx/folder.ts'
import { rankOf } from '../../../evals/models/formats/peft-config.ts'
import { readPeftFolder, writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { recognise } from '../../../evals/models/registry.ts'
import { createScope } from '../../../evals/models/scope.ts'
import { elementsOf } from '../../../evals/models/weights/stored-weights.ts'
import { openTokenizer } from '../../../evals/models/text/tokenizer.ts'
import { attack, attackValues, expectBoth, RUNS } from '../../doubles/models/damaged-files.ts'
import { FIXTURES } from '../../doubles/models/golden-llama.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../doubles/models/tiny-gguf.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-fuzz-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function readAll(checkpoint: Awaited<ReturnType<typeof openHfCheckpoint>>) {
  try {
    for (const [name, { shape }] of checkpoint.weights) {
      expect(checkpoint.read(name).length).toBe(elementsOf(shape))
    }
  } finally {
    await checkpoint.close()
  }
}

describe(`${RUNS} damaged copies of`, () => {
  test('a safetensors file', async () => {
    const model = await writeTinyCheckpoint(join(folder, 'hf'))
    const path = join(model, 'model.safetensors')
    const original = await readFile(path)
    const outcomes = await attack(original, async (bytes) => {
      await writeFile(path, bytes)
      await readAll(await openHfCheckpoint(model))
    })
    expectBoth(outcomes)
  })

  test('a GGUF file', async () => {
    const path = join(folder, 'tiny.gguf')
    const original = ggufBytes(tinyGgufMetadata(), tinyGgufTensors())
    const outcomes = await attack(original, async (bytes) => {
      await writeFile(path, bytes)
      const sources = await sourcesOf(path)
      const checkpoint = await sources.checkpoint()
      try {
        openTokenizer(await sources.tokenizer())
      } catch (error) {
        await checkpoint.close()
        throw error
      }
      await readAll(checkpoint)
    })
    expectBoth(outcomes)
  })

  test('an ONNX graph, and what is replayed of it', async () => {
    const model = join(folder, 'onnx')
    await mkdir(model)
    const path = join(model, 'model.onnx')
    const original = await readFile(join(FIXTURES, 'onnx', 'llama-dynamo.onnx'))
    const outcomes = await attack(original, async (bytes) => {
      await writeFile(path, bytes)
      const checkpoint = await openOnnx(model, path)
      await readAll(checkpoint)
      const { architecture, config, weights } = recognise(checkpoint)
      const g = createGraph()
      const scope = createScope(g, weights, { maxPositions: 8 })
      const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
      const positions = g.input('positions', 'int32', ['batch', 'seq'])
      const attention = { kind: 'causal' } as const
      architecture.forward(
        scope,
        { tokens, positions, attention, batch: 'batch', seq: 'seq' },
        config,
      )
    })
    expectBoth(outcomes)
  })

  test('a tokenizer', async () => {
    const model = await writeTinyCheckpoint(join(folder, 'tokenizer'), { tokenizer: 'byte' })
    const original = await readFile(join(model, 'tokenizer.json'))
    const open = async (bytes: Buffer) => {
      const tokenizerJson = parseJsonObject(bytes.toString(), 'tokenizer.json')
      const source = { path: 'tokenizer.json', tokenizerJson, tokenizerConfig: {}, eosIds: [2] }
      const tokenizer = openTokenizer(source)
      const ids = tokenizer.encode('the pool <|im_end|>')
      expect(ids.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true)
      tokenizer.decode(ids)
    }
    expectBoth(await attack(original, open))
    expectBoth(await attackValues(original, open))
  })

  test('an adapter’s configuration', async () => {
    const adapter = join(folder, 'adapter')
    const tensor = (shape: number[]) => ({ shape, data: new Float32Array(elementsOf(shape)) })
    await writePeftFolder(adapter, {
      config: { base: 'b', rank: 2, alpha: 4, targetModules: ['q_proj'] },
      tensors: new Map([
        ['layers.0.q_proj.lora_A.weight', tensor([2, 8])],
        ['layers.0.q_proj.lora_B.weight', tensor([8, 2])],
      ]),
    })
    const path = join(adapter, 'adapter_config.json')
    const original = await readFile(path)
    const open = async (bytes: Buffer) => {
      await writeFile(path, bytes)
      const { config, tensors } = await readPeftFolder(adapter)
      expect([rankOf(config, 'layers.0.q_proj'), tensors.size]).toEqual([2, 2])
    }
    expectBoth(await attack(original, open))
    expectBoth(await attackValues(original, open))
  })
})
