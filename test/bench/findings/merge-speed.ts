/**
 * @file `node evals/bin/run.js bench-merge`: the time of a merge of two rank-16 adapters of SmolLM2-135M by singular values, and of
 * PEFT's `add_weighted_adapter`, in turns; both from memory to memory. Flags: --layers 30, --pairs 3, --threads 2, --out FILE.
 * TOUCHSTONE_PYTHON names a Python with torch, transformers and peft.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { mergeAdapters } from '../../../evals/finetune/merging/merge.ts'
import { findMerging } from '../../../evals/finetune/merging/registry.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { parse, wholeNumber } from '../harness/bench-options.ts'
import { ProcessEnded, startLineProcess } from '../harness/line-process.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { findPython } from '../harness/torch-side.ts'

const SCRIPT = fileURLToPath(new URL('../peers/merge_svd.py', import.meta.url))
const RANK = 16
const Ready = z.object({ torch: z.string(), peft: z.string() })
const Answer = z.object({ ms: z.number() })

const values = parse({
  layers: { type: 'string', default: '30' },
  pairs: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' },
  out: { type: 'string' },
})
const pairs = wholeNumber('pairs', values.pairs, 1, 100)
const say = (text: string) => process.stdout.write(`${text}\n`)

const python = findPython()
if (python === undefined) {
  say('Skipped: there is no Python; set TOUCHSTONE_PYTHON to one that has torch and peft.')
  process.exit(0)
}
const folder = await mkdtemp(join(tmpdir(), 'touchstone-merge-'))
const words = [SCRIPT, folder, '--layers', values.layers, '--threads', values.threads]
const peer = await startLineProcess(python, words).catch((error: unknown) => {
  if (!(error instanceof ProcessEnded) || error.code !== 3) throw error
  say(error.complaint.split('\n').at(-1)!)
  process.exit(0)
})
const versions = Ready.parse(peer.greeting)
const before = machine()

const names = ['a', 'b'].map((name) => join(folder, name))
const sources = await Promise.all(
  names.map(async (path) => ({ path, folder: await readPeftFolder(path), weight: 0.5 })),
)
const request = {
  ...{ way: findMerging('svd'), rank: RANK, density: 0.5, outputReweighting: false, seed: 0 },
  ...{ peftCompat: true, sameBase: true },
}
function ours() {
  const began = performance.now()
  const merged = mergeAdapters(sources, request)
  return { ms: performance.now() - began, merged }
}

const { merged } = ours()
const times: { ours: number; peft: number }[] = []
for (let pair = 0; pair < pairs; pair++) {
  const { ms: peft } = await peer.ask({ work: 'merge' }, Answer)
  times.push({ ours: ours().ms, peft })
  say(`ours ${times.at(-1)!.ours.toFixed(0)} ms, PEFT ${peft.toFixed(0)} ms`)
}
await peer.quit()

/** Largest |difference| of B·A of a layer over its largest number. */
async function difference(): Promise<number> {
  const theirs = await readPeftFolder(join(folder, 'merged'))
  const layer = 'model.layers.0.self_attn.q_proj'
  const changeOf = ({ config, tensors }: typeof theirs) => {
    const [A, B] = ['A', 'B'].map((side) => tensors.get(`${layer}.lora_${side}.weight`)!)
    const [rank, columns] = A!.shape as [number, number]
    const scale = config.alpha / rank
    return Float64Array.from({ length: B!.shape[0]! * columns }, (_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns]
      let sum = 0
      for (let r = 0; r < rank; r++) sum += B!.data[i * rank + r]! * A!.data[r * columns + j]!
      return scale * sum
    })
  }
  const [one, other] = [changeOf(merged.folder), changeOf(theirs)]
  const most = other.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)
  return one.reduce((largest, x, i) => Math.max(largest, Math.abs(x - other[i]!)), 0) / most
}

const ratios = times.map(({ ours: mine, peft }) => peft / mine).sort((a, b) => a - b)
const median = ratios[Math.floor(ratios.length / 2)]!
const off = await difference()
say(
  `PEFT / ours: median ${median.toFixed(1)} of ${pairs} pairs; results differ by ${off.toExponential(1)}`,
)
say(showMachine(before))
if (values.out !== undefined) {
  const settings = { layers: Number(values.layers), rank: RANK, threads: Number(values.threads) }
  const result = {
    command: 'node evals/bin/run.js bench-merge',
    settings,
    versions,
    machine: before,
  }
  const found = { ...result, times, medianRatio: median, difference: off }
  await writeFile(values.out, `${JSON.stringify(found, null, 2)}\n`)
}
