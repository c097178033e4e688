/** @file Whoever has kept the digests of a model, an adapter or data finds every byte of it that has changed since. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { readData } from '../../../evals/data/read-data.ts'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { openChatTemplate } from '../../../evals/models/text/chat-template.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { sourcesOf } from '../../../evals/models/model-sources.ts'
import { peftDigest, writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'
import { describeTokenizer } from '../../../evals/models/text/tokenizer.ts'
import { writeOnnxModel } from '../../../evals/models/formats/onnx/write-onnx-model.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../doubles/models/tiny-gguf.ts'
import { counted } from '../../doubles/tier.ts'
import { fc } from '../../doubles/properties.ts'

/** Bytes changed in each of ten kinds of file. */
const FLIPS = counted(30, 1000)
const SEED = 20261126

const folder = freshFolder()
const at = (...names: string[]) => join(folder, ...names)

async function weightsDigest(path: string): Promise<string[]> {
  const checkpoint = await (await sourcesOf(path)).checkpoint()
  try {
    return [await checkpoint.digest()]
  } finally {
    await checkpoint.close()
  }
}
async function textDigests(path: string): Promise<string[]> {
  const sources = await sourcesOf(path)
  const tokenizer = describeTokenizer(await sources.tokenizer())
  const template = await openChatTemplate(await sources.template())
  await template.close()
  return [tokenizer.digest, template.digest]
}
const dataDigest = async (path: string) => [(await readData({ path })).digest]

const WEIGHTS = ['config.json', 'model.safetensors']
const TEXT = ['tokenizer.json', 'chat_template.jinja']

interface Kind {
  readonly files: readonly string[]
  readonly path: string
  readonly digests: (path: string) => Promise<readonly string[]>
  /** Of files that are kept by what they say: one white space for another between the parts of JSON is the same. */
  readonly says?: () => unknown
  /** Bytes changed; `FLIPS` unless it is given. */
  readonly count?: number
}

await writeTinyCheckpoint(at('hf'))
await writeShards()
await writeFile(at('tiny.gguf'), ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
await writeOnnx()
await writePeftFolder(at('adapter'), {
  config: { base: 'b', rank: 2, alpha: 4, targetModules: ['q_proj'] },
  tensors: new Map([
    ['layers.0.q_proj.lora_A.weight', { shape: [2, 8], data: new Float32Array(16).fill(0.5) }],
    ['layers.0.q_proj.lora_B.weight', { shape: [8, 2], data: new Float32Array(16).fill(0.25) }],
  ]),
})
await writeDataFiles()

const model = (name: string, files: readonly string[], digests = weightsDigest): Kind => ({
  files: files.map((file) => at(name, file)),
  path: at(name),
  digests,
})
const data = (name: string): Kind => ({ files: [at(name)], path: at(name), digests: dataDigest })

const KINDS: Readonly<Record<string, Kind>> = {
  'a folder': model('hf', WEIGHTS),
  'its tokenizer and template': {
    ...model('hf', TEXT, textDigests),
    says: () => [
      JSON.parse(readFileSync(at('hf', TEXT[0]!), 'utf8')) as unknown,
      readFileSync(at('hf', TEXT[1]!), 'utf8'),
    ],
  },
  shards: model('shards', ['a.safetensors', 'b.safetensors', 'model.safetensors.index.json']),
  'a GGUF file': { files: [at('tiny.gguf')], path: at('tiny.gguf'), digests: weightsDigest },
  'an ONNX folder': model('onnx', ['config.json', 'model.onnx', 'model.onnx.data']),
  'an adapter': {
    files: [at('adapter', 'adapter_config.json'), at('adapter', 'adapter_model.safetensors')],
    path: at('adapter'),
    digests: async (path) => [await peftDigest(path)],
  },
  'JSON Lines': data('rows.jsonl'),
  JSON: data('rows.json'),
  CSV: data('rows.csv'),
  // A thread reads each file.
  Parquet: { ...data('rows.parquet'), count: counted(10, FLIPS) },
}

describe(`${FLIPS} bytes`, () => {
  test.each(Object.entries(KINDS))(
    'of %s',
    async (_, { files, path, digests, says, count = FLIPS }) => {
      const before = await digests(path)
      expect(await digests(path)).toEqual(before)
      const said = says?.()
      const total = files.reduce((sum, file) => sum + statSync(file).size, 0)
      for (const [place, mask] of flips(total, count)) {
        const undo = flip(files, place, mask)
        try {
          const now = await digests(path).catch((error: unknown) => {
            if (error instanceof TouchstoneError) return null
            throw error
          })
          const isFound = now === null || now.some((digest, i) => digest !== before[i])
          if (isFound || !says) expect(isFound, `byte ${place} of ${total}, ^ ${mask}`).toBe(true)
          else expect(says()).toEqual(said)
        } finally {
          undo()
        }
      }
      expect(await digests(path)).toEqual(before)
    },
  )
})

/** Places in the files one after another, and what is changed there. */
const flips = (total: number, count: number) =>
  fc.sample(fc.tuple(fc.nat({ max: total - 1 }), fc.integer({ min: 1, max: 255 })), {
    numRuns: count,
    seed: SEED,
  })

function flip(files: readonly string[], place: number, mask: number): () => void {
  const [first, ...others] = files
  const { size } = statSync(first!)
  if (place >= size) return flip(others, place - size, mask)
  const byte = readFileSync(first!)[place]!
  const write = (value: number) => {
    const descriptor = openSync(first!, 'r+')
    writeSync(descriptor, Uint8Array.of(value), 0, 1, place)
    closeSync(descriptor)
  }
  write(byte ^ mask)
  return () => write(byte)
}

async function writeShards() {
  const { open, weights } = await loadModel(at('hf'))
  const tensors = [...open.checkpoint.weights].map(([name, { shape }]) => ({
    name,
    shape,
    data: weights.get(name)!,
  }))
  await open.close()
  await cp(at('hf'), at('shards'), {
    recursive: true,
    filter: (path) => !path.endsWith('.safetensors'),
  })
  const parts = { 'a.safetensors': tensors.slice(0, 7), 'b.safetensors': tensors.slice(7) }
  const map: Record<string, string> = {}
  for (const [file, part] of Object.entries(parts)) {
    await writeSafetensors(at('shards', file), part)
    for (const { name } of part) map[name] = file
  }
  const index = { metadata: { total_size: 0 }, weight_map: map }
  await writeFile(at('shards', 'model.safetensors.index.json'), JSON.stringify(index))
}

async function writeOnnx() {
  await mkdir(at('onnx'))
  const { model: opened, weights, open } = await loadModel(at('hf'))
  const { config } = open.checkpoint
  const read = (name: string) => weights.get(name)!
  await writeOnnxModel(at('onnx'), { model: opened, read, config, tokenizerFiles: new Map() })
  await open.close()
  for (const file of [...TEXT, 'tokenizer_config.json']) await cp(at('hf', file), at('onnx', file))
}

async function writeDataFiles() {
  const rows = [1, 2, 3, 4].map((day) => ({
    instruction: `When does the pool open on day ${day}?`,
    output: `At ${day + 5}, née à sept.`,
  }))
  await writeFile(at('rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  await writeFile(at('rows.json'), JSON.stringify(rows, null, 1))
  const lines = rows.map((row) => `"${row.instruction}","${row.output}"`)
  await writeFile(at('rows.csv'), ['instruction,output', ...lines].join('\n'))
  const column = (name: 'instruction' | 'output') => ({
    name,
    data: rows.map((row) => row[name]),
    type: 'STRING' as const,
  })
  const columnData = [column('instruction'), column('output')]
  await writeFile(at('rows.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })))
}
