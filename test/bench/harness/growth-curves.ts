/** @file The points of `test/bench/growth.ts`, the rows of its tables and its curves. */
import type { LineChart } from '../../../evals/contract/document/charts.ts'
import type { Spread } from './measure.ts'

export const STEP_START = { layers: 6, width: 576, rows: 4, length: 128, rank: 8 }
export type StepPoint = typeof STEP_START
/** What a step is given, one thing at a time. */
export const STEP_AXES: Readonly<Record<keyof StepPoint, readonly number[]>> = {
  length: [32, 64, 128, 256, 512, 1024],
  rows: [1, 2, 4, 8],
  rank: [1, 8, 32, 128],
  layers: [3, 6, 12, 30],
  width: [192, 384, 576, 768, 1152],
}
/** What a run is given: steps of one fine-tune, prompts of one evaluation, arms that share its prompts. */
export const RUN_AXES = {
  steps: [1, 2, 5, 10, 20, 40],
  prompts: [8, 16, 32, 64, 128, 256],
  arms: [1, 2, 4, 8, 16],
} as const satisfies Readonly<Record<string, readonly number[]>>

export type StepAxis = keyof typeof STEP_AXES
export type RunAxis = keyof typeof RUN_AXES
export type Axis = StepAxis | RunAxis
export const AXES = [...Object.keys(STEP_AXES), ...Object.keys(RUN_AXES)] as readonly Axis[]
export const isStepAxis = (axis: Axis): axis is StepAxis => axis in STEP_AXES

/** A way of doing the work at a point, ms and bytes at the peak. */
export interface Measured extends Spread {
  readonly way: string
  readonly bytes: number
}
export interface Curve {
  readonly axis: Axis
  readonly points: readonly { readonly x: number; readonly ways: readonly Measured[] }[]
}

const STEP = 'a step'
const OVER: Readonly<Record<Axis, { readonly title: string; readonly label: string }>> = {
  length: { title: 'A LoRA step over tokens a row', label: 'Tokens a row' },
  rows: { title: 'A LoRA step over rows', label: 'Rows a step' },
  rank: { title: 'A LoRA step over the rank', label: 'Rank' },
  layers: { title: 'A LoRA step over layers', label: 'Layers' },
  width: { title: 'A LoRA step over the width', label: 'Width' },
  steps: { title: 'A fine-tune over its steps, opening it included', label: 'Steps' },
  prompts: { title: 'An evaluation over its prompts, opening it included', label: 'Prompts' },
  arms: { title: 'An evaluation of several arms', label: 'Arms' },
}

/** Median times with fastest and slowest, a line for each way; steps in ms, whole runs in s. */
export function chartOf({ axis, points }: Curve): LineChart {
  const [unit, per] = isStepAxis(axis) ? ['ms', 1] : ['s', 1000]
  const ways = points[0]!.ways.map(({ way }) => way)
  return {
    type: 'line-chart',
    title: `${OVER[axis].title}, ${unit}`,
    xLabel: OVER[axis].label,
    series: ways.map((way, k) => ({
      label: `${isStepAxis(axis) ? STEP : way}: median, fastest to slowest`,
      colour: k,
      dash: k,
      points: points.map(({ x, ways: all }) => {
        const { median, min, max } = all[k]!
        return { x, y: median / per, lower: min / per, upper: max / per }
      }),
    })),
    range: [0, Math.max(...points.flatMap(({ ways: all }) => all.map(({ max }) => max / per)))],
    format: 'significant',
  }
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)

export const STEP_HEAD = [
  '| layers | width | rows × tokens | rank | a step, ms | a token, ms | peak, MiB |',
  '| --- | --- | --- | --- | --- | --- | --- |',
]
export function stepRow(point: StepPoint, { median, min, max, bytes }: Measured): string {
  const { layers, width, rows, length, rank } = point
  const time = `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`
  const token = (median / (rows * length)).toFixed(2)
  return `| ${layers} | ${width} | ${rows} × ${length} | ${rank} | ${time} | ${token} | ${mebibytes(bytes)} |`
}

export const runHead = (axis: RunAxis) => [
  `| ${axis} | what | s | of one, ms | peak, MiB |`,
  '| --- | --- | --- | --- | --- |',
]
export function runRow(x: number, { way, median, min, max, bytes }: Measured): string {
  const [mid, least, most] = [median, min, max].map((ms) => (ms / 1000).toFixed(2))
  return `| ${x} | ${way} | ${mid} (${least}–${most}) | ${(median / x).toFixed(0)} | ${mebibytes(bytes)} |`
}
