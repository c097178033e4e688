/** @file One adapted layer by hand: its weight, forward pass and gradients at given numbers, in float64. */
import { bind, type FineTuneMethod } from '../../../evals/finetune/method.ts'
import { gradients } from '../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../evals/graph/op.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import type { Tensor } from '../../../evals/runtime/tensor.ts'

interface Layer {
  /** `[out, in]`. */
  readonly W: readonly (readonly number[])[]
  /** By the parameter's last name: `lora_A.weight`. */
  readonly parameters: Readonly<Record<string, readonly (readonly number[])[] | readonly number[]>>
  readonly x?: readonly number[]
  /** ∂L/∂W′ `[out, in]`. */
  readonly G?: readonly (readonly number[])[]
}

const NAME = 'model.layers.0.self_attn.q_proj'

/** What the layer answers to x, its W′, and the gradient of Σ W′⊙G in every parameter. */
export async function layerByHand(
  method: FineTuneMethod,
  config: object,
  { W, parameters, x = W[0]!.map(() => 1), G = W }: Layer,
) {
  const g = createGraph(FLOAT64)
  const [outFeatures, inFeatures] = [W.length, W[0]!.length]
  const weight = g.input('W', g.float, [outFeatures, inFeatures])
  const site = { name: NAME, module: 'q_proj', layer: 0, weight, inFeatures, outFeatures }
  const adapter = bind(method, config).attach!(g, site, 'evaluate')!
  const merged = adapter.weight()
  const cotangent = g.constant(G.flat(), g.float, [outFeatures, inFeatures])
  const loss = g.reduceSum(g.mul(merged, cotangent), [0, 1], { keepDims: false })
  const derivatives = gradients(
    g,
    loss,
    g.parameters.map(({ value }) => value),
  )
  const short = (name: string) => name.slice(NAME.length + 1)
  const outputs = {
    y: adapter.forward(g.constant(x, g.float, [1, inFeatures])),
    merged,
    ...Object.fromEntries(g.parameters.map(({ name }, i) => [short(name), derivatives[i]!])),
  }
  const runner = await createRunner(g, outputs, {
    device: { name: 'cpu', threads: 1 },
    purpose: 'train',
  })
  const tensor = (data: readonly number[], dims: readonly number[]): Tensor => ({
    data: Float64Array.from(data),
    dims,
  })
  const results = await runner.run({
    W: tensor(W.flat(), [outFeatures, inFeatures]),
    ...Object.fromEntries(
      g.parameters.map(({ name, shape }) => [name, tensor(parameters[short(name)]!.flat(), shape)]),
    ),
  })
  await runner.release()
  const numbers = (name: string) => Array.from(results[name]!.data, Number)
  return { y: numbers('y'), merged: numbers('merged'), gradient: numbers }
}

/** Rows of a flat `[rows, columns]`. */
export const rowsOf = (flat: readonly number[], columns: number): number[][] =>
  Array.from({ length: flat.length / columns }, (_, i) =>
    flat.slice(i * columns, (i + 1) * columns),
  )
