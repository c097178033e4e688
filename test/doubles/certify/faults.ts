/**
 * @file Faults planted in a right artefact, each of which real conversions have had. A fault changes tensors of a Hugging Face
 * folder (Llama's names), its configuration or its texts; the folder is then written in other forms by our own exporter.
 */
import { existsSync } from 'node:fs'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadModel } from '../../../evals/models/load.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'

export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}
export type Tensors = Map<string, Tensor>
interface Sizes {
  readonly layers: number
  readonly heads: number
}

export interface PlantedFault {
  readonly name: string
  readonly tensors?: (tensors: Tensors, sizes: Sizes) => void
  /** Keys of config.json. */
  readonly config?: (config: Record<string, unknown>) => void
  /** The first of the files that is there, and its new text. */
  readonly text?: readonly [files: readonly string[], change: (text: string) => string]
}

const layer = (at: number, rest: string) => `model.layers.${at}.${rest}.weight`
const middle = ({ layers }: Sizes) => layers >> 1

function change(tensors: Tensors, name: string, to: (data: Float32Array, tensor: Tensor) => void) {
  const tensor = tensors.get(name)!
  const data = tensor.data.slice()
  to(data, tensor)
  tensors.set(name, { ...tensor, data })
}

/** Blocks of 32 rounded to −2d, −d, 0 and d. */
function inTwoBits(data: Float32Array): void {
  for (let start = 0; start < data.length; start += 32) {
    const block = data.subarray(start, start + 32)
    const step = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 2
    for (const [i, x] of block.entries())
      block[i] = step === 0 ? 0 : step * Math.max(-2, Math.min(1, Math.round(x / step)))
  }
}

function transpose(data: Float32Array, { data: from, shape }: Tensor): void {
  const [rows, columns] = shape as [number, number]
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[j * rows + i] = from[i * columns + j]!
}

const times = (factor: number) => (data: Float32Array) => {
  for (const i of data.keys()) data[i]! *= factor
}

const EMBEDDING = 'model.embed_tokens.weight'
/** A token that a reply of a chat hardly holds, so that no probability that counts depends on it. */
const RARE = 200

export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'a square matrix transposed',
    tensors: (all, sizes) => change(all, layer(middle(sizes), 'self_attn.o_proj'), transpose),
  },
  {
    name: 'a matrix of zeros',
    tensors: (all, sizes) =>
      change(all, layer(middle(sizes), 'self_attn.k_proj'), (data) => data.fill(0)),
  },
  {
    name: 'a matrix 1.05 times its size',
    tensors: (all, sizes) => change(all, layer(middle(sizes), 'self_attn.v_proj'), times(1.05)),
  },
  {
    name: 'two heads swapped',
    tensors: (all, sizes) =>
      change(all, layer(middle(sizes), 'self_attn.q_proj'), (data, { data: from }) => {
        const head = data.length / sizes.heads
        data.set(from.subarray(0, head), head)
        data.set(from.subarray(head, 2 * head), 0)
      }),
  },
  {
    name: 'the weight of another layer',
    tensors: (all, sizes) =>
      all.set(
        layer(middle(sizes), 'mlp.up_proj'),
        all.get(layer(middle(sizes) + 1, 'mlp.up_proj'))!,
      ),
  },
  {
    name: 'gate and up exchanged',
    tensors: (all, sizes) => {
      const [gate, up] = ['mlp.gate_proj', 'mlp.up_proj'].map((each) => layer(middle(sizes), each))
      const kept = all.get(gate!)!
      all.set(gate!, all.get(up!)!)
      all.set(up!, kept)
    },
  },
  {
    name: 'one matrix at 2 bits',
    tensors: (all, sizes) => change(all, layer(middle(sizes), 'mlp.down_proj'), inTwoBits),
  },
  {
    name: 'the norm of a layer left at ones',
    tensors: (all, sizes) =>
      change(all, layer(middle(sizes), 'input_layernorm'), (data) => data.fill(1)),
  },
  {
    name: 'the row of one rare token lost',
    tensors: (all) =>
      change(all, EMBEDDING, (data, { shape }) => {
        const [rows, columns] = shape as [number, number]
        const at = Math.min(RARE, rows - 2) * columns
        data.copyWithin(at, at + columns, at + 2 * columns)
      }),
  },
  {
    name: 'one number 1000 times its size',
    tensors: (all, sizes) =>
      change(all, layer(middle(sizes), 'mlp.gate_proj'), (data) => {
        data[77]! *= 1000
      }),
  },
  {
    name: 'a head of its own, off by one row',
    tensors: (all) => {
      const { data, shape } = all.get(EMBEDDING)!
      const columns = shape[1]!
      const turned = new Float32Array(data.length)
      turned.set(data.subarray(columns))
      turned.set(data.subarray(0, columns), data.length - columns)
      all.set('lm_head.weight', { shape, data: turned })
    },
    config: (config) => (config['tie_word_embeddings'] = false),
  },
  {
    name: 'rotary theta twice as large',
    config: (config) => {
      const nested = config['rope_parameters'] as { rope_theta?: number } | undefined
      if (nested?.rope_theta !== undefined) nested.rope_theta *= 2
      else config['rope_theta'] = 2 * ((config['rope_theta'] as number | undefined) ?? 10000)
    },
  },
  {
    name: 'norm epsilon ten times as large',
    config: (config) => (config['rms_norm_eps'] = 10 * (config['rms_norm_eps'] as number)),
  },
  {
    name: 'a space more in the template',
    text: [
      ['chat_template.jinja', 'tokenizer_config.json'],
      (text) => text.replace(/(message|m)\[(\\?['"])role\2\]/u, "' ' + $&"),
    ],
  },
  {
    name: 'another end of replies',
    text: [
      ['generation_config.json'],
      (text) => text.replace(/("eos_token_id":\s*\[?\s*)\d+/u, (_, before) => `${before}13`),
    ],
  },
]

/** Writes `to`: the folder `right` with one fault. */
export async function plant(right: string, to: string, fault: PlantedFault): Promise<void> {
  await rm(to, { recursive: true, force: true })
  const isWeight = (path: string) => fault.tensors !== undefined && path.endsWith('.safetensors')
  await cp(right, to, { recursive: true, filter: (path) => !isWeight(path) })
  const path = join(to, 'config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  if (fault.tensors) {
    const { open, model, weights } = await loadModel(right)
    const tensors: Tensors = new Map(
      [...model.weights.values()].map(({ name, shape }) => [
        name,
        { shape, data: weights.get(name)! },
      ]),
    )
    fault.tensors(tensors, {
      layers: config['num_hidden_layers'] as number,
      heads: config['num_attention_heads'] as number,
    })
    const all = [...tensors].map(([name, tensor]) => ({ name, ...tensor }))
    await writeSafetensors(join(to, 'model.safetensors'), all, { format: 'pt' })
    await open.close()
  }
  fault.config?.(config)
  await writeFile(path, JSON.stringify(config))
  if (!fault.text) return
  const [files, turn] = fault.text
  const file = files.find((each) => existsSync(join(to, each)))!
  const text = await readFile(join(to, file), 'utf8')
  const other = turn(text)
  if (other === text) throw new Error(`${fault.name}: nothing changed in ${file}`)
  await writeFile(join(to, file), other)
}
