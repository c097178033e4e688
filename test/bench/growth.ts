/**
 * @file How a LoRA step's time and memory grow with tokens, rank and layers: `node test/bench/growth.ts [--threads 2] [--runs 5]`
 * prints a Markdown table. From one point each axis is walked alone; every point is a process of its own, and its time the
 * median of the runs after two that are skipped.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { wholeNumber } from './harness/bench-options.ts'
import { machine, showMachine } from './harness/machine.ts'
import { spread } from './harness/measure.ts'
import { imported, peakOf, print } from './harness/peak.ts'
import { SMOLLM2_135M, writeRandomModel } from './harness/random-model.ts'

const START = { layers: 6, rows: 4, length: 128, rank: 8 }
type Point = typeof START
const AXES: Readonly<Partial<Record<keyof Point, readonly number[]>>> = {
  length: [32, 64, 128, 256, 512, 1024],
  rows: [1, 2, 4, 8],
  rank: [1, 8, 32, 128],
  layers: [3, 6, 12, 30],
}
const SKIPPED = 2

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
  },
})
const threads = wholeNumber('threads', values.threads, 1, 64)
const runs = wholeNumber('runs', values.runs, 1, 100)
const Times = z.array(z.number())

const folder = await mkdtemp(join(tmpdir(), 'touchstone-growth-'))
const models = new Map<number, string>()

/** Random, of SmolLM2-135M's widths. */
async function modelOf(layers: number): Promise<string> {
  const known = models.get(layers)
  if (known !== undefined) return known
  const path = join(folder, String(layers))
  await writeRandomModel(path, { ...SMOLLM2_135M, layers }, 7)
  models.set(layers, path)
  return path
}

async function measured(point: Point) {
  const { layers, ...step } = point
  const options = {
    model: await modelOf(layers),
    checkpointing: false,
    precision: 'fp32',
    device: { name: 'cpu', threads },
  }
  const { text, bytes, exit } = await peakOf(`
    const { openLoraStep } = await import(${imported('test/bench/harness/open-work.ts')})
    const work = await openLoraStep(${JSON.stringify(options)}, ${JSON.stringify(step)})
    const times = []
    for (let i = 0; i < ${SKIPPED + runs}; i++) times.push((await work.repeat()).ms)
    console.log(JSON.stringify(times))
    await work.release()`)
  if (exit !== 0) throw new Error(`${JSON.stringify(point)}: ${text}`)
  const times = Times.parse(JSON.parse(text.trim().split('\n').at(-1)!))
  return { ...spread(times.slice(SKIPPED)), bytes }
}

print(showMachine(machine()))
print('\n| layers | rows × tokens | rank | a step, ms | a token, ms | peak, MiB |')
print('| --- | --- | --- | --- | --- | --- |')
try {
  for (const [axis, points] of Object.entries(AXES)) {
    for (const value of points) {
      const point: Point = { ...START, [axis]: value }
      const { median, min, max, bytes } = await measured(point)
      const { layers, rows, length, rank } = point
      const time = `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`
      const token = (median / (rows * length)).toFixed(2)
      const peak = (bytes / 2 ** 20).toFixed(0)
      print(`| ${layers} | ${rows} × ${length} | ${rank} | ${time} | ${token} | ${peak} |`)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
