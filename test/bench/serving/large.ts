/**
 * @file `node test/bench/serving/large.ts`: `inspect` and `spectral` on a folder in the shapes of Llama 3 8B, whose replies a server
 * would give. The file is sparse: its first layer holds random numbers in bfloat16, which an adapter of rank 8 changes, all
 * other bytes are zero and read by nobody. Processor time and memory are told. Flags: --json FILE.
 */
import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { addon } from '../../../evals/native/load.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { TOKENIZER_FILES } from '../harness/random-model.ts'

const [HIDDEN, INNER, KEYS, VOCAB, LAYERS, RANK] = [4096, 14_336, 1024, 128_256, 32, 8]
const LINEARS: Readonly<Record<string, readonly [number, number]>> = {
  'self_attn.q_proj': [HIDDEN, HIDDEN],
  'self_attn.k_proj': [KEYS, HIDDEN],
  'self_attn.v_proj': [KEYS, HIDDEN],
  'self_attn.o_proj': [HIDDEN, HIDDEN],
  'mlp.gate_proj': [INNER, HIDDEN],
  'mlp.up_proj': [INNER, HIDDEN],
  'mlp.down_proj': [HIDDEN, INNER],
}
const SD = 0.02
const { values } = parseArgs({ options: { json: { type: 'string' } } })

const stream = randomStream(1, 'large')
const numbers = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => SD * (2 * stream.uniform() - 1))

/** The upper halves of float32. */
const bfloat16 = (given: Float32Array): Uint16Array =>
  Uint16Array.from(new Uint32Array(given.buffer), (bits) => bits >>> 16)

async function writeModel(folder: string): Promise<void> {
  const shapes: [string, readonly number[]][] = [
    ['model.embed_tokens.weight', [VOCAB, HIDDEN]],
    ['lm_head.weight', [VOCAB, HIDDEN]],
    ['model.norm.weight', [HIDDEN]],
  ]
  for (let layer = 0; layer < LAYERS; layer++) {
    const prefix = `model.layers.${layer}`
    for (const [name, shape] of Object.entries(LINEARS))
      shapes.push([`${prefix}.${name}.weight`, shape])
    for (const norm of ['input_layernorm', 'post_attention_layernorm'])
      shapes.push([`${prefix}.${norm}.weight`, [HIDDEN]])
  }
  let end = 0
  const places = shapes.map(([name, shape]) => {
    const start = end
    end += 2 * shape.reduce((a, b) => a * b)
    return { name, shape, start, end }
  })
  const entries = places.map(({ name, shape, start, end: last }) => [
    name,
    { dtype: 'BF16', shape, data_offsets: [start, last] },
  ])
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = await open(join(folder, 'model.safetensors'), 'w')
  try {
    await file.write(Buffer.concat([length, header]))
    await file.truncate(8 + header.length + end)
    for (const { name, shape, start } of places)
      if (name.startsWith('model.layers.0.') && shape.length === 2)
        await file.write(
          bfloat16(numbers(shape[0]! * shape[1]!)),
          0,
          null,
          8 + header.length + start,
        )
  } finally {
    await file.close()
  }
  const config = {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: HIDDEN },
    ...{ num_hidden_layers: LAYERS, num_attention_heads: 32, num_key_value_heads: 8 },
    ...{ intermediate_size: INNER, vocab_size: VOCAB, max_position_embeddings: 8192 },
    ...{ rms_norm_eps: 1e-5, rope_theta: 500_000, tie_word_embeddings: false },
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  for (const name of TOKENIZER_FILES)
    await copyFile(join(modelPath('pebble'), name), join(folder, name))
}

async function writeAdapter(folder: string, base: string): Promise<void> {
  const tensors = new Map(
    Object.entries(LINEARS).flatMap(([name, [out, columns]]) => {
      const module = `model.layers.0.${name}`
      return [
        [`${module}.lora_A.weight`, { shape: [RANK, columns], data: numbers(RANK * columns) }],
        [`${module}.lora_B.weight`, { shape: [out, RANK], data: numbers(out * RANK) }],
      ] as const
    }),
  )
  const targetModules = Object.keys(LINEARS).map((name) => `layers.0.${name}`)
  await writePeftFolder(folder, {
    config: { base, rank: RANK, alpha: 16, targetModules },
    tensors,
  })
}

const CLI = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')
const HOOK = `data:text/javascript,process.on("exit",()=>console.error("USED "+JSON.stringify(process.resourceUsage())))`

/** Processor seconds and most resident memory of a command; throws where it fails. */
function measured(argv: readonly string[]): { seconds: number; mebibytes: number } {
  const ran = spawnSync(process.execPath, ['--import', HOOK, CLI, ...argv], { encoding: 'utf8' })
  const used = /^USED (?<told>.*)$/mu.exec(ran.stderr)?.groups!['told']
  if (ran.status !== 0 || used === undefined) throw new Error(ran.stderr.slice(-2000))
  const usage = JSON.parse(used) as NodeJS.ResourceUsage
  const seconds = (usage.userCPUTime + usage.systemCPUTime) / 1e6
  return { seconds: Number(seconds.toFixed(1)), mebibytes: Math.round(usage.maxRSS / 1024) }
}

const folder = await mkdtemp(join(tmpdir(), 'touchstone-large-'))
try {
  await writeModel(folder)
  await writeAdapter(join(folder, 'adapter'), folder)
  const inspected = measured(['inspect', folder])
  const out = ['--out-dir', join(folder, 'out'), '--no-cache', '--spectrum-detail', 'leading']
  const layer = measured(['spectral', folder, join(folder, 'adapter'), ...out])
  const told = { machine: machine(), native: addon() !== undefined, inspected, layer }
  process.stdout.write(
    `${showMachine(told.machine)}; ${told.native ? 'with' : 'without'} the addon
inspect: ${inspected.seconds} s of processor time, ${inspected.mebibytes} MiB
spectral, one layer of ${LAYERS} (7 matrices): ${layer.seconds} s, ${layer.mebibytes} MiB; all layers about ${((layer.seconds * LAYERS) / 60).toFixed(0)} minutes in the same memory
`,
  )
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(told, null, 1)}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
