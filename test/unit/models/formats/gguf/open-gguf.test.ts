/** @file GGUF files made here: names, shapes, row order, configuration, tokenizer, and every lie refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STORAGE_FORMATS } from '../../../../../evals/models/weights/dequantise.ts'
import { openModel } from '../../../../../evals/models/open-model.ts'
import type { GgufField, GgufTensorToWrite } from '../../../../doubles/models/tiny-gguf.ts'
import {
  TINY_GGUF,
  ggufBytes,
  tinyGgufMetadata,
  tinyGgufTensors,
} from '../../../../doubles/models/tiny-gguf.ts'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-gguf-'))
  path = join(folder, 'tiny.gguf')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const open = async (bytes: Uint8Array) => {
  await writeFile(path, bytes)
  return openModel(path)
}
const codeOf = (bytes: Uint8Array) =>
  open(bytes).then(
    async (model) => {
      await model.close()
      return 'opened'
    },
    (error: unknown) => (error as { code?: string }).code ?? `not ours: ${String(error)}`,
  )

type Metadata = Record<string, GgufField>
const changed = (change: Metadata) =>
  ggufBytes({ ...tinyGgufMetadata(), ...change }, tinyGgufTensors())
const without = (key: string) => {
  const metadata = tinyGgufMetadata()
  return ggufBytes(
    Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== key)),
    tinyGgufTensors(),
  )
}
const withTensor = (index: number, change: Partial<GgufTensorToWrite>) =>
  ggufBytes(
    tinyGgufMetadata(),
    tinyGgufTensors().map((tensor, i) => (i === index ? { ...tensor, ...change } : tensor)),
  )

describe('a whole file', () => {
  test('has the names, shapes and configuration of a Hugging Face folder', async () => {
    const model = await open(ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
    const { weights, config } = model.checkpoint
    expect(config).toMatchObject({
      model_type: 'llama',
      hidden_size: 256,
      head_dim: 64,
      num_key_value_heads: 2,
      rms_norm_eps: 1e-5,
      rope_scaling: null,
      tie_word_embeddings: true,
      vocab_size: 266,
    })
    expect(weights.get('model.embed_tokens.weight')!.shape).toEqual([266, 256])
    expect(weights.get('model.layers.0.self_attn.k_proj.weight')!.shape).toEqual([128, 256])
    expect(weights.get('model.layers.0.post_attention_layernorm.weight')!.shape).toEqual([256])
    expect([...weights.values()].map(({ storage }) => storage)).toEqual(
      expect.arrayContaining(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K']),
    )
    await model.close()
  })

  test('gives each weight as its blocks say, and queries and keys in Hugging Face’s row order', async () => {
    const tensors = tinyGgufTensors()
    const model = await open(ggufBytes(tinyGgufMetadata(), tensors))
    for (const [name, ggml, heads] of [
      ['mlp.down_proj', 'ffn_down', 0],
      ['self_attn.v_proj', 'attn_v', 0],
      ['self_attn.q_proj', 'attn_q', TINY_GGUF.heads],
      ['self_attn.k_proj', 'attn_k', TINY_GGUF.kvHeads],
    ] as const) {
      const full = `model.layers.0.${name}.weight`
      const { shape, storage } = model.checkpoint.weights.get(full)!
      const [rows, columns] = shape as [number, number]
      const stored = new Float32Array(rows * columns)
      const { bytes } = tensors.find((tensor) => tensor.name === `blk.0.${ggml}.weight`)!
      STORAGE_FORMATS[storage].decode(Uint8Array.from(bytes), stored)
      const read = model.checkpoint.read(full)
      const row = (values: Float32Array, at: number) =>
        values.slice(at * columns, (at + 1) * columns)
      for (let at = 0; at < rows; at++) {
        expect(row(read, hfRow(at, rows, heads))).toEqual(row(stored, at))
      }
    }
    await model.close()
  })

  /** llama.cpp's converter: reshape(heads, 2, half, …).swapaxes(1, 2), so stored (head, pair, side) was (head, side, pair). */
  function hfRow(stored: number, rows: number, heads: number): number {
    if (heads === 0) return stored
    const half = rows / heads / 2
    const [head, inside] = [Math.floor(stored / (2 * half)), stored % (2 * half)]
    return head * 2 * half + (inside % 2) * half + Math.floor(inside / 2)
  }

  test('brings its tokenizer and template', async () => {
    const model = await open(ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
    const { tokenizer, template } = model
    expect(template.source).toBe('gguf')
    const text = await template.render([{ role: 'user', content: 'the pool 12' }], {
      addGenerationPrompt: true,
    })
    const ids = tokenizer.encode(text)
    expect(ids[0]).toBe(1)
    expect(tokenizer.decode(ids)).toBe('user\nthe pool 12\nassistant\n')
    // SmolLM splits digits before it merges, GPT-2 does not.
    expect(tokenizer.encode('12').length).toBe(2)
    expect(tokenizer.endIds).toEqual([2])
    await model.close()
    const other = await open(changed({ 'tokenizer.ggml.pre': { type: 'string', value: 'gpt-2' } }))
    expect(other.tokenizer.encode('12').length).toBe(1)
    await other.close()
  })

  test('reads Llama 3’s rotary divisors as its scaling, and refuses others', async () => {
    const divisors = Float32Array.from({ length: 32 }, (_, index) => {
      const wavelength = 2 * Math.PI * 500000 ** ((2 * index) / 64)
      if (wavelength < 8192 / 4) return 1
      if (wavelength > 8192) return 32
      const smooth = (8192 / wavelength - 1) / 3
      return 1 / ((1 - smooth) / 32 + smooth)
    })
    const file = (values: Float32Array) =>
      ggufBytes({ ...tinyGgufMetadata(), 'llama.rope.freq_base': { type: 'f32', value: 500000 } }, [
        ...tinyGgufTensors(),
        {
          name: 'rope_freqs.weight',
          dimensions: [32],
          type: 0,
          bytes: new Uint8Array(values.buffer),
        },
      ])
    const model = await open(file(divisors))
    expect(model.checkpoint.config.rope_scaling).toEqual({
      rope_type: 'llama3',
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    })
    await model.close()
    expect(await codeOf(file(divisors.map((value) => value + 0.5)))).toBe('checkpoint.unsupported')
  })

  test('cut short anywhere is refused', async () => {
    const whole = ggufBytes(tinyGgufMetadata(), tinyGgufTensors())
    for (const length of [0, 3, 8, 23, 24, 100, 1000, 5000, whole.length - 2000]) {
      expect([length, await codeOf(whole.subarray(0, length))]).toEqual([
        length,
        'checkpoint.malformed',
      ])
    }
  })
})

describe('refused', () => {
  const string = (value: string): GgufField => ({ type: 'string', value })
  const u32 = (value: number): GgufField => ({ type: 'u32', value })

  test.each([
    ['another architecture', changed({ 'general.architecture': string('mamba') })],
    ['experts', changed({ 'llama.expert_count': u32(8) })],
    ['a scaling of no name', changed({ 'llama.rope.scaling.type': string('llama3') })],
    ['rotary embedding of half a head', changed({ 'llama.rope.dimension_count': u32(32) })],
    ['a scale of the scores', changed({ 'llama.attention.scale': { type: 'f32', value: 0.3 } })],
    [
      'a window, which llama.cpp passes over',
      changed({ 'llama.attention.sliding_window': u32(8) }),
    ],
    ['a storage type', withTensor(2, { type: 16 })],
    ['a weight of another model', withTensor(2, { name: 'blk.0.ssm_in.weight' })],
  ])('%s, as unsupported', async (_, bytes) => {
    expect(await codeOf(bytes)).toBe('checkpoint.unsupported')
  })

  test.each([
    ['WordPiece', changed({ 'tokenizer.ggml.model': string('bert') })],
    ['none at all', changed({ 'tokenizer.ggml.model': string('none') })],
    ['a name of objects', changed({ 'tokenizer.ggml.model': string('constructor') })],
    ['an unknown way to split', changed({ 'tokenizer.ggml.pre': string('poro-chat') })],
  ])('%s, as a tokenizer', async (_, bytes) => {
    expect(await codeOf(bytes)).toBe('tokenizer.unsupported')
  })

  test('no template', async () => {
    expect(await codeOf(without('tokenizer.chat_template'))).toBe('template.missing')
  })

  test.each([
    ['no sizes', without('llama.embedding_length')],
    ['no tokens', without('tokenizer.ggml.tokens')],
    ['pieces without scores', changed({ 'tokenizer.ggml.model': string('llama') })],
    ['no layers', changed({ 'llama.block_count': u32(0) })],
    ['layers without weights', changed({ 'llama.block_count': { type: 'u64', value: 2 ** 50 } })],
    [
      'a head of absurd size',
      changed({ 'llama.attention.key_length': { type: 'u64', value: 2 ** 50 } }),
    ],
    ['a size that is not whole', changed({ 'llama.block_count': { type: 'f32', value: 1.5 } })],
    ['an odd alignment', changed({ 'general.alignment': u32(33) })],
    ['an alignment of nothing', changed({ 'general.alignment': u32(0) })],
    ['the same weight twice', withTensor(3, { name: 'blk.0.attn_q.weight' })],
    ['heads that do not divide the rows', changed({ 'llama.attention.key_length': u32(32) })],
    ['a weight of no layer', withTensor(3, { name: 'blk.7.attn_k.weight' })],
    ['rows that are no whole blocks', withTensor(0, { dimensions: [255, 10] })],
    ['an empty shape', withTensor(1, { dimensions: [] })],
    ['an empty dimension', withTensor(1, { dimensions: [0, 4] })],
    ['five dimensions', withTensor(1, { dimensions: [256, 1, 1, 1, 1] })],
    ['a weight larger than its place', withTensor(1, { dimensions: [512] })],
    ['an absurd dimension', withTensor(1, { dimensions: [2 ** 52] })],
    [
      'bytes after the end',
      Buffer.concat([ggufBytes(tinyGgufMetadata(), tinyGgufTensors()), new Uint8Array(64)]),
    ],
    ['another magic', Buffer.from('GGML'.padEnd(64))],
  ])('%s, as malformed', async (_, bytes) => {
    expect(await codeOf(bytes)).toBe('checkpoint.malformed')
  })

  test('a big-endian file and a version from the future', async () => {
    const bytes = ggufBytes(tinyGgufMetadata(), tinyGgufTensors())
    bytes.writeUInt32BE(3, 4)
    expect(await codeOf(bytes)).toBe('checkpoint.unsupported')
    bytes.writeUInt32LE(9, 4)
    expect(await codeOf(bytes)).toBe('checkpoint.unsupported')
  })
})
