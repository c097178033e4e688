/** @file The law of devices: every operator gives on WebGPU what it gives on the CPU, values, kept values and gradients. */
import { describe, expect, test } from 'vitest'
import { CPU, PORTABLE } from '../../evals/graph/op.ts'
import { OPERATOR_EXAMPLES } from '../doubles/graph/operator-examples.ts'
import { carried, differentiable, everything, lossGraphOf } from '../doubles/graph/operator-laws.ts'
import { lossAndGradients, runOnce, type Build, type Given } from '../doubles/graph/run-graph.ts'
import { relativeError } from '../doubles/models/safetensors.ts'
import { hasWebGpu, onWebGpu, webGpu } from '../doubles/graph/webgpu.ts'
import { IS_LONG } from '../doubles/tier.ts'

/** One example of every second operator, all in the long tier. */
const firsts = OPERATOR_EXAMPLES.filter(
  ({ op }, i) => OPERATOR_EXAMPLES.findIndex((each) => each.op.name === op.name) === i,
)
const examples = IS_LONG ? OPERATOR_EXAMPLES : firsts.filter((_, i) => i % 2 === 0)
const named = examples.map((example) => [`${example.op.name}: ${example.what}`, example] as const)

/** float32 sums in another order. */
const TOLERANCE = 1e-5

describe.skipIf(!hasWebGpu)(onWebGpu('on WebGPU'), () => {
  test.each(named)('%s', async (_, example) => {
    const given = carried(example.given)
    await agree(given, everything(example))
    const wrt = differentiable(example)
    if (wrt.length === 0) return
    const graph = lossGraphOf(example, given, wrt)
    await agree(graph.given, lossAndGradients(graph))
  })

  test('a graph in the CPU’s fused kernels does not run there: some would leave a gradient unwritten', async () => {
    const [[, example]] = named as [(typeof named)[number]]
    const run = runOnce(CPU, carried(example.given), everything(example), webGpu)
    await expect(run).rejects.toThrow('internal: a graph for the CPU was to run on webgpu')
  })
})

async function agree(given: readonly Given[], build: Build): Promise<void> {
  const expected = await runOnce(PORTABLE, given, build)
  const found = await runOnce(PORTABLE, given, build, webGpu)
  for (const [name, { data, dims }] of Object.entries(expected)) {
    expect(found[name]!.dims, name).toEqual(dims)
    const [own, other] = [found[name]!, { data }].map((each) => Array.from(each.data, Number))
    expect(relativeError(own!, other!), name).toBeLessThan(TOLERANCE)
  }
}
