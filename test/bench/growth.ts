/**
 * @file How a LoRA step's time and memory grow with tokens, rows, rank, layers and width: `node test/bench/growth.ts [--threads 2]
 * [--runs 5] [--axis NAME …] [--out FILE.svg]` prints a Markdown table and draws the curves with the report's own code. From one point
 * each axis is walked alone; every point is a process of its own, and its time the median of the runs after two that are skipped.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { LineChart } from '../../evals/contract/document/charts.ts'
import { svgPicture } from '../../evals/document/charts/picture.ts'
import { PICTURE_STYLE } from '../../evals/document/style.ts'
import { usage, wholeNumber } from './harness/bench-options.ts'
import { machine, showMachine } from './harness/machine.ts'
import { spread } from './harness/measure.ts'
import { imported, peakOf, print } from './harness/peak.ts'
import { SMOLLM2_135M, writeRandomModel } from './harness/random-model.ts'

const START = { layers: 6, width: 576, rows: 4, length: 128, rank: 8 }
type Point = typeof START
const AXES: Readonly<Record<keyof Point, readonly number[]>> = {
  length: [32, 64, 128, 256, 512, 1024],
  rows: [1, 2, 4, 8],
  rank: [1, 8, 32, 128],
  layers: [3, 6, 12, 30],
  width: [192, 384, 576, 768, 1152],
}
const LABELS: Readonly<Record<keyof Point, string>> = {
  length: 'Tokens a row',
  rows: 'Rows a step',
  rank: 'Rank',
  layers: 'Layers',
  width: 'Width',
}
const SKIPPED = 2

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
    axis: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
})
const threads = wholeNumber('threads', values.threads, 1, 64)
const runs = wholeNumber('runs', values.runs, 1, 100)
const Times = z.array(z.number())

const folder = await mkdtemp(join(tmpdir(), 'touchstone-growth-'))
const models = new Map<string, string>()

/** Random, of SmolLM2-135M's proportions: heads of 64, of which three share a key head, and an MLP of 8/3 of the width. */
async function modelOf(layers: number, width: number): Promise<string> {
  const name = `${layers}-${width}`
  const known = models.get(name)
  if (known !== undefined) return known
  const path = join(folder, name)
  const heads = width / 64
  const wide = { hidden: width, heads, kvHeads: heads / 3, intermediate: (width * 8) / 3 }
  await writeRandomModel(path, { ...SMOLLM2_135M, ...wide, layers }, 7)
  models.set(name, path)
  return path
}

async function measured(point: Point) {
  const { layers, width, ...step } = point
  const options = {
    model: await modelOf(layers, width),
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

type Measured = Awaited<ReturnType<typeof measured>>

/** The time of a step along an axis, from its fastest to its slowest. */
const chartOf = (
  axis: keyof Point,
  found: readonly (readonly [number, Measured])[],
): LineChart => ({
  type: 'line-chart',
  title: `A LoRA step over ${LABELS[axis].toLowerCase()}, ms`,
  xLabel: LABELS[axis],
  series: [
    {
      label: 'a step, ms: median, fastest to slowest',
      colour: 0,
      dash: 0,
      points: found.map(([x, { median, min, max }]) => ({ x, y: median, lower: min, upper: max })),
    },
  ],
  range: [0, Math.max(...found.map(([, { max }]) => max))],
  format: 'significant',
})

const isAxis = (name: string): name is keyof Point => name in AXES
const axes = (values.axis ?? Object.keys(AXES)).map((name) =>
  isAxis(name)
    ? name
    : usage(`There is no axis "${name}"; there are ${Object.keys(AXES).join(', ')}.`),
)

print(showMachine(machine()))
print('\n| layers | width | rows × tokens | rank | a step, ms | a token, ms | peak, MiB |')
print('| --- | --- | --- | --- | --- | --- | --- |')
const charts: LineChart[] = []
try {
  for (const axis of axes) {
    const found: [number, Measured][] = []
    for (const value of AXES[axis]) {
      const point: Point = { ...START, [axis]: value }
      const own = await measured(point)
      found.push([value, own])
      const { median, min, max, bytes } = own
      const { layers, width, rows, length, rank } = point
      const time = `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`
      const token = (median / (rows * length)).toFixed(2)
      const peak = (bytes / 2 ** 20).toFixed(0)
      print(
        `| ${layers} | ${width} | ${rows} × ${length} | ${rank} | ${time} | ${token} | ${peak} |`,
      )
    }
    charts.push(chartOf(axis, found))
  }
  if (values.out !== undefined) await writeFile(values.out, svgPicture(charts, PICTURE_STYLE))
} finally {
  await rm(folder, { recursive: true, force: true })
}
