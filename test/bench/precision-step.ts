/**
 * @file The time of a LoRA step (rank 8, 4 × 128 tokens) on a base kept in NF4 over that on one in int8, steps in turns:
 * `node test/bench/precision-step.ts --folder DIR --pairs 7 --threads 2`. The model is a random one of SmolLM2-135M's size, written
 * into DIR where it is not there yet.
 */
import { join } from 'node:path'
import { exists } from '../../evals/files/read-file.ts'
import { parse, wholeNumber } from './harness/bench-options.ts'
import { openLoraStep } from './harness/open-work.ts'
import { print } from './harness/peak.ts'
import { SMOLLM2_135M, writeRandomModel } from './harness/random-model.ts'

const values = parse({
  folder: { type: 'string', default: 'out/random-135m' },
  pairs: { type: 'string', default: '7' },
  threads: { type: 'string', default: '2' },
})
const pairs = wholeNumber('pairs', values.pairs, 1, 1000)
const device = { name: 'cpu', threads: wholeNumber('threads', values.threads, 1, 256) } as const

if (!(await exists(join(values.folder, 'model.safetensors'))))
  await writeRandomModel(values.folder, SMOLLM2_135M, 7)
const open = (precision: 'int8' | 'nf4') =>
  openLoraStep(
    { model: values.folder, checkpointing: false, precision, device },
    { rows: 4, length: 128, rank: 8 },
  )
const [int8, nf4] = [await open('int8'), await open('nf4')]
// Pages of fresh memory are faulted in by the first step.
await int8.repeat()
await nf4.repeat()
const times: { int8: number; nf4: number }[] = []
for (let pair = 0; pair < pairs; pair++)
  times.push({ int8: (await int8.repeat()).ms, nf4: (await nf4.repeat()).ms })
const middle = (all: readonly number[]) =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!
const ratios = times.map((pair) => pair.nf4 / pair.int8)
for (const pair of times) print(`int8 ${pair.int8.toFixed(0)} ms, nf4 ${pair.nf4.toFixed(0)} ms`)
print(`nf4 / int8: median ${middle(ratios).toFixed(2)} of ${pairs} pairs`)
