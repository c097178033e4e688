/**
 * @file What a model that only a server can run costs here: `inspect` on a folder in Llama 3 8B's shapes (its head tied), whose
 * file is empty behind the headers, and `spectral` on one layer of it, seven matrices of random numbers with an adapter of rank 8 (without draws by chance).
 * Prints what each took, in a process of its own. Flag: --folder FOLDER (kept).
 */
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exists } from '../../../evals/files/read-file.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { mulberry32 } from '../../doubles/models/tiny-checkpoint.ts'
import { machine, showMachine } from '../harness/machine.ts'
import {
  configOf,
  shapesOnly,
  TOKENIZER_FILES,
  writeRandomAdapter,
  type LlamaSize,
} from '../harness/random-model.ts'

const LLAMA_8B: LlamaSize = {
  ...{ hidden: 4096, layers: 32, heads: 32, kvHeads: 8, intermediate: 14_336, vocab: 128_256 },
}
const ONE_LAYER: LlamaSize = { ...LLAMA_8B, layers: 1, vocab: 656 }
const { values } = parseArgs({ options: { folder: { type: 'string' } } })
const say = (line: string) => process.stdout.write(`${line}\n`)

/** bfloat16 of either sign from 1/64 to 1/32: nothing else is drawn faster. */
function randomHalves(count: number, seed: number): Uint16Array {
  const draw = mulberry32(seed)
  return Uint16Array.from({ length: count }, () => 0x3c80 | ((draw() * 0x1_0000) & 0x807f))
}

/** @param isFilled whether the matrices of the layers hold random numbers; nothing does elsewhere */
async function writeLargeModel(folder: string, size: LlamaSize, isFilled: boolean): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(size)))
  for (const file of TOKENIZER_FILES)
    await copyFile(join(modelPath('pebble'), file), join(folder, file))
  let end = 0
  const places = [...shapesOnly(size).weights.values()].map(({ name, shape }) => {
    const count = shape.reduce((a, b) => a * b)
    const begin = end
    end += 2 * count
    return { name, shape, count, begin, end }
  })
  const entries = places.map((place) => [
    place.name,
    { dtype: 'BF16', shape: place.shape, data_offsets: [place.begin, place.end] },
  ])
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const start = 8 + header.length
  const file = await open(join(folder, 'model.safetensors'), 'w')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await file.write(Buffer.concat([length, header]), 0, start, 0)
  // What is not written is no more than a length.
  await file.truncate(start + end)
  for (const [i, { name, count, begin }] of places.entries())
    if (isFilled && name.startsWith('model.layers.'))
      await file.write(randomHalves(count, i), 0, 2 * count, start + begin)
  await file.close()
}

const AT_END = `
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const [cpu, mib] = [(userCPUTime + systemCPUTime) / 1e6, maxRSS / 1024]
  process.stderr.write('took ' + cpu.toFixed(1) + ' s of processor time, at most ' + mib.toFixed(0) + ' MiB resident\\n')
})`

/** Shows what a verb prints, and what its process took. */
async function show(...argv: readonly string[]): Promise<void> {
  say(`touchstone ${argv[0]}`)
  const hook = `data:text/javascript,${encodeURIComponent(AT_END)}`
  const cli = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', hook, cli, ...argv], { stdio: 'inherit' })
  const code = await new Promise((resolve) => child.on('close', resolve))
  say(`  ended with ${String(code)} after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'touchstone-large-')))
try {
  const [model, layer, adapter] = ['model', 'layer', 'adapter'].map((name) => join(folder, name))
  if (!(await exists(adapter!))) {
    await writeLargeModel(model!, LLAMA_8B, false)
    await writeLargeModel(layer!, ONE_LAYER, true)
    await writeRandomAdapter(adapter!, layer!, ONE_LAYER, 1)
  }
  say(showMachine(machine()))
  await show('inspect', model!)
  await show('spectral', layer!, adapter!, '--null-draws', '0', '--dry-run')
  const kept = ['--cache-dir', join(folder, 'cache'), '--out-dir', join(folder, 'out')]
  await show('spectral', layer!, adapter!, '--null-draws', '0', ...kept)
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true })
}
