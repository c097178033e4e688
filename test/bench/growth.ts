/**
 * @file How time and memory grow: of a LoRA step with tokens, rows, rank, layers and width; of a fine-tune with its steps; of an evaluation
 * with its prompts and with arms, in one pass and one by one. `node test/bench/growth.ts [--threads 2] [--runs 5] [--axis NAME …]
 * [--out FILE.svg] [--json FILE] [--quick]` prints Markdown tables and draws the curves with the report's own code. From one point each axis
 * is walked alone; every point is a process of its own, and its time the median of the runs after those that are skipped. `--quick` takes two
 * points an axis of a tiny model: it shows that everything works and measures nothing.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { svgPicture } from '../../evals/document/charts/picture.ts'
import { PICTURE_STYLE } from '../../evals/document/style.ts'
import { parse, usage, wholeNumber } from './harness/bench-options.ts'
import {
  AXES,
  chartOf,
  isStepAxis,
  RUN_AXES,
  runHead,
  runRow,
  STEP_AXES,
  STEP_HEAD,
  STEP_START,
  stepRow,
  type Axis,
  type Curve,
  type Measured,
  type RunAxis,
  type StepAxis,
  type StepPoint,
} from './harness/growth-curves.ts'
import { machine, showMachine } from './harness/machine.ts'
import { spread } from './harness/measure.ts'
import { writeArms } from './harness/open-arms.ts'
import { imported, peakOf, print } from './harness/peak.ts'
import { SMOLLM2_135M, writeRandomModel } from './harness/random-model.ts'

/** Of steps; a whole run has its own cold part, which its user waits for, and is repeated less often. */
const SKIPPED = { step: 2, run: 1 }
const MOST_RUNS = 3
const PROMPTS_OF_ARMS = 16

const values = parse({
  threads: { type: 'string', default: '2' },
  runs: { type: 'string', default: '5' },
  axis: { type: 'string', multiple: true },
  out: { type: 'string' },
  json: { type: 'string' },
  quick: { type: 'boolean', default: false },
})
const threads = wholeNumber('threads', values.threads, 1, 64)
const runs = wholeNumber('runs', values.runs, 1, 100)
const start: StepPoint = values.quick
  ? { layers: 1, width: 192, rows: 1, length: 16, rank: 2 }
  : STEP_START
const pointsOf = (all: readonly number[]) => (values.quick ? all.slice(0, 2) : all)
const device = { name: 'cpu', threads }

const folder = await mkdtemp(join(tmpdir(), 'touchstone-growth-'))
const Times = z.array(z.number())

/** SmolLM2-135M's proportions: heads of 64, of which three share a key head, and an MLP of 8/3 of the width. */
const sizeOf = (layers: number, width: number) => {
  const heads = width / 64
  const wide = { hidden: width, heads, kvHeads: heads / 3, intermediate: (width * 8) / 3 }
  return { ...SMOLLM2_135M, ...wide, layers }
}

const models = new Map<string, string>()
async function modelOf(layers: number, width: number): Promise<string> {
  const path = join(folder, `${layers}-${width}`)
  if (!models.has(path)) await writeRandomModel(path, sizeOf(layers, width), 7)
  models.set(path, path)
  return path
}

/** Of a process that prints its times as JSON; `program` defines `once`, which gives the ms of a repetition. */
async function timed(way: string, kind: keyof typeof SKIPPED, program: string): Promise<Measured> {
  const counted = kind === 'step' ? runs : Math.min(runs, MOST_RUNS)
  const { text, bytes, exit } = await peakOf(`${program}
    const times = []
    for (let i = 0; i < ${SKIPPED[kind] + counted}; i++) times.push(await once())
    console.log(JSON.stringify(times))
    process.exit(0)`)
  if (exit !== 0) throw new Error(`${way}: ${text}`)
  const times = Times.parse(JSON.parse(text.trim().split('\n').at(-1)!))
  return { way, ...spread(times.slice(SKIPPED[kind])), bytes }
}

const openingStep = async ({ layers, width, ...step }: StepPoint) => {
  const model = await modelOf(layers, width)
  const options = { model, checkpointing: false, precision: 'fp32', device }
  return `const { openLoraStep } = await import(${imported('test/bench/harness/open-work.ts')})
    const opened = () => openLoraStep(${JSON.stringify(options)}, ${JSON.stringify(step)})`
}

const oneStep = async (point: StepPoint): Promise<Measured> =>
  timed(
    'a step',
    'step',
    `${await openingStep(point)}
    const work = await opened()
    const once = async () => (await work.repeat()).ms`,
  )

const fineTune = async (steps: number): Promise<Measured> =>
  timed(
    'a fine-tune',
    'run',
    `${await openingStep(start)}
    const once = async () => {
      const began = performance.now()
      const work = await opened()
      for (let step = 0; step < ${steps}; step++) await work.repeat()
      const ms = performance.now() - began
      await work.release()
      return ms
    }`,
  )

async function asked(
  way: string,
  how: 'baseAlone' | 'oneByOne' | 'onePass',
  { arms, prompts }: { readonly arms: number; readonly prompts: number },
): Promise<Measured> {
  return timed(
    way,
    'run',
    `const { readArms, ${how} } = await import(${imported('test/bench/harness/open-arms.ts')})
    const read = await readArms(${JSON.stringify(join(folder, 'arms'))}, ${arms})
    const asked = { ...read, prompts: ${prompts}, device: ${JSON.stringify(device)} }
    const once = async () => (await ${how}(asked)).ms`,
  )
}

const RUNS: Readonly<Record<RunAxis, (x: number) => (() => Promise<Measured>)[]>> = {
  steps: (steps) => [() => fineTune(steps)],
  prompts: (prompts) => [() => asked('an evaluation', 'baseAlone', { arms: 0, prompts })],
  arms: (arms) => [
    () => asked('one by one', 'oneByOne', { arms, prompts: PROMPTS_OF_ARMS }),
    () => asked('in one pass', 'onePass', { arms, prompts: PROMPTS_OF_ARMS }),
  ],
}

async function stepCurve(axis: StepAxis): Promise<Curve> {
  const points: Curve['points'][number][] = []
  for (const x of pointsOf(STEP_AXES[axis])) {
    const point = { ...start, [axis]: x }
    const own = await oneStep(point)
    points.push({ x, ways: [own] })
    print(stepRow(point, own))
  }
  return { axis, points }
}

async function runCurve(axis: RunAxis): Promise<Curve> {
  print(['', ...runHead(axis)].join('\n'))
  const points: Curve['points'][number][] = []
  for (const x of pointsOf(RUN_AXES[axis])) {
    const ways: Measured[] = []
    for (const each of RUNS[axis](x)) ways.push(await each())
    points.push({ x, ways })
    for (const each of ways) print(runRow(x, each))
  }
  return { axis, points }
}

const known = new Set<string>(AXES)
const axes = (values.axis ?? AXES).map((name) =>
  known.has(name)
    ? (name as Axis)
    : usage(`There is no axis "${name}"; there are ${AXES.join(', ')}.`),
)

const on = machine()
print(`${showMachine(on)}; ${threads} threads`)
const curves: Curve[] = []
try {
  if (axes.some((axis) => axis === 'prompts' || axis === 'arms'))
    await writeArms(
      join(folder, 'arms'),
      sizeOf(start.layers, start.width),
      Math.max(...RUN_AXES.arms),
    )
  if (axes.some(isStepAxis)) print(['', ...STEP_HEAD].join('\n'))
  for (const axis of axes.filter(isStepAxis)) curves.push(await stepCurve(axis))
  for (const axis of axes) if (!isStepAxis(axis)) curves.push(await runCurve(axis))
  const files: [string | undefined, () => string][] = [
    [values.out, () => svgPicture(curves.map(chartOf), PICTURE_STYLE)],
    [values.json, () => `${JSON.stringify({ machine: on, threads, start, curves }, null, 2)}\n`],
  ]
  for (const [path, text] of files) {
    if (path === undefined) continue
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text())
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
