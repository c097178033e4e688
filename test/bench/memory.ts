/**
 * @file The peak memory of training and measuring beside what was said before: `node test/bench/memory.ts --size 1.5b --
 * train --base-precision int8 --batch-size 4 --steps 2`. What stands behind `--` is given to the command line; the model is
 * a random one of that size with Pebble's tokenizer, written into `--folder` where it is not there yet (`1.5b-q4`, `7b-q4`: a GGUF in blocks). A size that is not in
 * the table is a model of its own: `pebble`, or a path. `--tokens 128` trains on rows of so many tokens, one a batch.
 */
import { cp, mkdtemp, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exists } from '../../evals/files/read-file.ts'
import { measure, print, touchstone } from './harness/peak.ts'
import { writeRandomGguf } from './harness/random-gguf.ts'
import {
  alike,
  LLAMA_1_5B,
  LLAMA_7B,
  SMOLLM2_135M,
  TOKENIZER_FILES,
  writeRandomModel,
  type LlamaSize,
} from './harness/random-model.ts'

const PEBBLE = join(import.meta.dirname, '../../evals/bundled/pebble')
const SIZES = {
  '135m': { size: SMOLLM2_135M, storage: 'F32' },
  '1.5b': { size: LLAMA_1_5B, storage: 'BF16' },
  '7b': { size: LLAMA_7B, storage: 'BF16', drawn: alike() },
} as const satisfies Record<string, Size>

interface Size {
  readonly size: LlamaSize
  readonly storage: 'F32' | 'BF16'
  readonly drawn?: ReturnType<typeof alike>
}

const { values, positionals } = parseArgs({
  options: {
    size: { type: 'string', default: 'pebble' },
    folder: { type: 'string' },
    tokens: { type: 'string' },
  },
  allowPositionals: true,
})

/** In ggml's blocks: Q4_0, the embedding in Q8_0. */
const IN_BLOCKS = { '1.5b-q4': LLAMA_1_5B, '7b-q4': LLAMA_7B } as const

async function modelOf(name: string): Promise<string> {
  if (name in IN_BLOCKS) return blocksOf(name as keyof typeof IN_BLOCKS)
  if (!(name in SIZES)) return name
  const { size, storage, drawn }: Size = SIZES[name as keyof typeof SIZES]
  const folder = join(values.folder ?? tmpdir(), `touchstone-random-${name}`)
  if (await exists(join(folder, 'model.safetensors'))) return folder
  await writeRandomModel(folder, size, 7, storage, undefined, drawn)
  for (const file of TOKENIZER_FILES) await cp(join(PEBBLE, file), join(folder, file))
  return folder
}

async function blocksOf(name: keyof typeof IN_BLOCKS): Promise<string> {
  const path = join(values.folder ?? tmpdir(), `touchstone-random-${name}.gguf`)
  if (await exists(path)) return path
  await writeRandomGguf(`${path}.part`, IN_BLOCKS[name])
  await rename(`${path}.part`, path)
  return path
}

/** Flags of raw texts that are longer than the tokens asked for, which are cut. */
async function rowsOf(folder: string): Promise<string[]> {
  const { tokens } = values
  if (tokens === undefined) return []
  const text = 'The pool of the hotel opens at seven and closes at nine in the evening. '
  const row = JSON.stringify({ text: text.repeat(Number(tokens)) })
  const data = join(folder, 'rows.jsonl')
  await writeFile(data, `${row}\n`.repeat(16))
  return ['--data', data, '--max-tokens', tokens, '--batch-size', '1']
}

const model = await modelOf(values.size)
const out = await mkdtemp(join(tmpdir(), 'touchstone-memory-'))
const argv = [...positionals, ...(await rowsOf(out)), '--model', model, '--out-dir', out]
await measure('what is said before', touchstone(...argv, '--dry-run'))
const bytes = await measure(positionals.join(' '), touchstone(...argv))
print(`${(bytes / 2 ** 30).toFixed(2)} GiB`)
