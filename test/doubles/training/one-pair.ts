/** @file One adapted layer, or several, as the hooks of a step see them. */
import type { StepState } from '../../../evals/finetune/method.ts'
import { parameterTable } from '../../../evals/finetune/training/parameters.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { tinyModel } from '../models/tiny-model.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

export const LAYER = 'model.layers.0.self_attn.q_proj'

interface OnePair {
  /** `LAYER` if absent. */
  readonly name?: string
  readonly rows: number
  readonly columns: number
  readonly rank: number
  readonly W: Float32Array
  readonly A: Float32Array
  readonly B: Float32Array
}

/** N(0, 1) of `label`. */
export const normals = (label: string, length: number): Float32Array => {
  const stream = randomStream(41, label)
  return Float32Array.from({ length }, () => stream.normal())
}

export const randomPair = (
  rows: number,
  columns: number,
  rank: number,
  name = LAYER,
): Required<OnePair> => {
  const own = (matrix: string) => (name === LAYER ? matrix : `${name} ${matrix}`)
  return {
    ...{ name, rows, columns, rank },
    W: normals(own('W'), rows * columns),
    A: normals(own('A'), rank * columns),
    B: normals(own('B'), rows * rank),
  }
}

export const stateOf = (pair: OnePair, more: Partial<StepState> = {}): StepState =>
  stateOfPairs([pair], more)

/** Parameters are A, then B, of one layer after another. */
export function stateOfPairs(pairs: readonly OnePair[], more: Partial<StepState> = {}): StepState {
  const g = createGraph()
  for (const { name = LAYER, rank, columns, rows } of pairs) {
    g.parameter(`${name}.lora_A.weight`, [rank, columns])
    g.parameter(`${name}.lora_B.weight`, [rows, rank])
  }
  const sites = pairs.map(({ name = LAYER, columns, rows }) => {
    return { name, module: 'q_proj', layer: 0, inFeatures: columns, outFeatures: rows }
  })
  const parameters = Float32Array.from(pairs.flatMap(({ A, B }) => [...A, ...B]))
  const weights = new Map(pairs.map(({ name = LAYER, W }) => [`${name}.weight`, W]))
  return {
    parameters,
    firstMoment: new Float32Array(parameters.length),
    step: 0,
    steps: 10,
    microBatch: 0,
    seed: 7,
    memory: new Float32Array(0),
    layout: {
      ...{ table: parameterTable(g.parameters), sites, weight: (name) => weights.get(name)! },
      model: tinyModel().model,
    },
    ...more,
  }
}

/** B·A `[rows, columns]` in float64. */
export function productOf(
  { rows, columns, rank }: Pick<OnePair, 'rows' | 'columns' | 'rank'>,
  B: ArrayLike<number>,
  A: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let r = 0; r < rank; r++)
      for (let j = 0; j < columns; j++)
        out[i * columns + j]! += B[i * rank + r]! * A[r * columns + j]!
  return out
}

export const normOf = (values: Iterable<number>): number =>
  Math.sqrt([...values].reduce((sum, x) => sum + x * x, 0))
