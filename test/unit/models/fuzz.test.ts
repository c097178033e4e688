/**
 * @file Thousands of damaged files: each opens with what it declares, or is refused by name; none hangs, crashes or
 * makes this process allocate more than the file could need.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../../evals/errors.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { openHfCheckpoint } from '../../../evals/models/hf-folder.ts'
import { sourcesOf } from '../../../evals/models/model-sources.ts'
import { parseJsonObject } from '../../../evals/models/files.ts'
import { openOnnx } from '../../../evals/models/onnx-folder.ts'
import { rankOf } from '../../../evals/models/peft-config.ts'
import { readPeftFolder, writePeftFolder } from '../../../evals/models/peft-folder.ts'
import { recognise } from '../../../evals/models/registry.ts'
import { createScope } from '../../../evals/models/scope.ts'
import { elementsOf } from '../../../evals/models/stored-weights.ts'
import { openTokenizer } from '../../../evals/models/tokenizer.ts'
import { FIXTURES } from '../../doubles/golden-llama.ts'
import { writeTinyCheckpoint } from '../../doubles/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../doubles/tiny-gguf.ts'

/** Of each kind of file and damage: more than 1,000 files in every check, 10,000 in the long one. */
const RUNS = process.env.TOUCHSTONE_LONG === undefined ? 250 : 2500
const SEED = 20240726
const SLOWEST_MS = 5000
const MEMORY = 64 * 2 ** 20

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-fuzz-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Places near the beginning are likelier: that is where headers are. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 600 }) },
  { weight: 1, arbitrary: fc.nat({ max: 2 ** 20 }) },
)
const NUMBERS = [0n, 1n, 2n, 255n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]
const damage = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({
    kind: fc.constant('number' as const),
    at: place,
    value: fc.constantFrom(...NUMBERS),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('insert' as const), at: place, text: fc.string({ maxLength: 9 }) }),
  fc.record({
    kind: fc.constant('drop' as const),
    at: place,
    count: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: place,
    count: fc.integer({ min: 1, max: 200 }),
  }),
)
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never
const damages = fc.array(damage, { minLength: 1, maxLength: 4 })

function damaged(original: Buffer, steps: readonly Damage[]): Buffer {
  let bytes = Buffer.from(original)
  for (const step of steps) {
    if (bytes.length === 0) return bytes
    const at = step.at % bytes.length
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (step.kind) {
      case 'set':
        bytes[at] = step.byte
        break
      case 'flip':
        bytes[at]! ^= 1 << step.bit
        break
      case 'number':
        if (after.length >= 8) bytes.writeBigUInt64LE(step.value, at)
        break
      case 'cut':
        bytes = Buffer.from(before)
        break
      case 'insert':
        bytes = Buffer.concat([before, Buffer.from(step.text), after])
        break
      case 'drop':
        bytes = Buffer.concat([before, after.subarray(step.count)])
        break
      case 'repeat':
        bytes = Buffer.concat([before, after.subarray(0, step.count), after])
    }
  }
  return bytes
}

/** Valid JSON with a few of its values exchanged: gets past the parser, where bytes seldom do. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 22,
  2 ** 32,
  '',
  'x',
  '(',
  '(a+)+$',
  '\u0000',
  [],
  {},
  [[]],
  [null],
  { type: 'Sequence' },
  { type: 'Split', pattern: {}, behavior: 'Removed', invert: true },
  { type: 'ByteLevel' },
  { type: 'Digits' },
  { Regex: '[' },
  { Regex: '\\p{Nothing}' },
]
const exchanges = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...HOSTILE)), {
  minLength: 1,
  maxLength: 3,
})
type Exchanges = typeof exchanges extends fc.Arbitrary<infer T> ? T : never

function exchanged(original: unknown, steps: Exchanges): unknown {
  const root = { value: structuredClone(original) }
  for (const [at, hostile] of steps) {
    // Few nodes of each object, or the vocabulary would take nearly every hit.
    const nodes: [Record<string, unknown>, string][] = []
    const visit = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return
      const owner = node as Record<string, unknown>
      for (const key of Object.keys(owner).slice(0, 12)) {
        nodes.push([owner, key])
        visit(owner[key])
      }
    }
    visit(root)
    const [owner, key] = nodes[at % nodes.length]!
    owner[key] = structuredClone(hostile)
  }
  return root.value
}

/** Runs `open` on `RUNS` damaged copies of `original`; returns how many opened and how many were refused. */
async function attack(original: Buffer, open: (bytes: Buffer) => Promise<void>) {
  return attackWith(damages, (steps) => damaged(original, steps), open)
}

/** The same with exchanged values of a JSON file. */
async function attackValues(original: Buffer, open: (bytes: Buffer) => Promise<void>) {
  const json: unknown = JSON.parse(original.toString())
  const change = (steps: Exchanges) => Buffer.from(JSON.stringify(exchanged(json, steps)))
  return attackWith(exchanges, change, open)
}

async function attackWith<Step>(
  steps: fc.Arbitrary<Step>,
  change: (step: Step) => Buffer,
  open: (bytes: Buffer) => Promise<void>,
) {
  const outcomes = { opened: 0, refused: 0 }
  const property = fc.asyncProperty(steps, async (step) => {
    const bytes = change(step)
    const [before, start] = [process.memoryUsage(), performance.now()]
    try {
      await open(bytes)
      outcomes.opened++
    } catch (error) {
      if (!(error instanceof TouchstoneError)) throw error
      outcomes.refused++
    }
    const { arrayBuffers } = process.memoryUsage()
    expect(performance.now() - start).toBeLessThan(SLOWEST_MS)
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(MEMORY)
  })
  await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  return outcomes
}

async function readAll(checkpoint: Awaited<ReturnType<typeof openHfCheckpoint>>) {
  try {
    for (const [name, { shape }] of checkpoint.weights) {
      expect((await checkpoint.read(name)).length).toBe(elementsOf(shape))
    }
  } finally {
    await checkpoint.close()
  }
}

describe(`${RUNS} damaged copies of`, { timeout: 600_000 }, () => {
  // Most damage must be noticed, and some of it (a weight's own bytes) cannot be: both must occur.
  const expectBoth = ({ opened, refused }: { opened: number; refused: number }) => {
    expect(opened).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(RUNS / 4)
  }

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
