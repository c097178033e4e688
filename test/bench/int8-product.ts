/**
 * @file One layer's forward product over a base in int8, in the ways that there are: `node test/bench/int8-product.ts --rows 512
 * --out 1536 --width 576 --threads 2 --runs 60`. Weights are fed and nothing is packed, as in training; x is normal. The ways
 * take turns, and each line has the least and the median of its times and how far it is from float32.
 */
import { CPU, type Emitter, type Op } from '../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../evals/graph/ops/index.ts'
import type { Value } from '../../evals/graph/value.ts'
import { quantise, dequantise } from '../../evals/models/weights/small-weights.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import type { Feeds } from '../../evals/runtime/tensor.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import { parse, wholeNumber } from './harness/bench-options.ts'
import { showMachine, machine } from './harness/machine.ts'
import { spread } from './harness/measure.ts'

const values = parse({
  rows: { type: 'string', default: '512' },
  out: { type: 'string', default: '1536' },
  width: { type: 'string', default: '576' },
  threads: { type: 'string', default: '2' },
  runs: { type: 'string', default: '60' },
})
const count = (name: keyof typeof values) => wholeNumber(name, values[name], 1, 65536)
const [rows, out, width] = [count('rows'), count('out'), count('width')]
const [threads, runs] = [count('threads'), count('runs')]

/** ONNX Runtime's operator with one scale for all of x; it takes W turned. */
const WholeTensor: Op = {
  name: 'WholeTensor',
  infer: () => ({ outputs: [{ dtype: 'float32', shape: [rows, out] }] }),
  emit: ({ e, inputs: [x, W] }) => ({ outputs: wholeTensor(e, x!, W!) }),
  vjp: 'none',
}
function wholeTensor(e: Emitter, x: string, W: string): string[] {
  const [turned] = e.node('Transpose', [W], { perm: [1, 0] })
  return e.contrib('DynamicQuantizeMatMul', [x, turned!, 'W:scale'])
}

type Build = (g: Graph, x: Value) => Value

const stored = (g: Graph, storage: 'int8' | 'product:int8') => g.stored('W', [out, width], storage)
const WAYS: Readonly<Record<string, Build>> = {
  'float32 weights': (g, x) => g.matMulT(x, g.input('wide', 'float32', [out, width])),
  'int8 weights, widened': (g, x) => g.matMulT(x, stored(g, 'int8')),
  'in int8, a scale a row of x (--forward int8)': (g, x) => g.matMulT(x, stored(g, 'product:int8')),
  'in int8, one scale for x (DynamicQuantizeMatMul)': (g, x) => {
    const [W] = [g.input('W', 'int8', [out, width]), g.input('W:scale', 'float32', [out])]
    return g.apply(WholeTensor, [x, W], undefined)[0]!
  },
}

const stream = randomStream(1, 'int8 product')
const normal = (count: number) => Float32Array.from({ length: count }, () => stream.normal())
const small = quantise(normal(out * width), out, 'int8')
const { data, scales } = small
const feeds: Feeds = {
  x: { data: normal(rows * width), dims: [rows, width] },
  W: { data, dims: [out, width] },
  'W:scale': { data: scales, dims: [out] },
  wide: { data: dequantise(small), dims: [out, width] },
}

async function open(build: Build) {
  const g = createGraph(CPU)
  const y = build(g, g.input('x', 'float32', [rows, width]))
  const runner = await createRunner(
    g,
    { y },
    { device: { name: 'cpu', threads }, purpose: 'train' },
  )
  const into = { y: { data: new Float32Array(rows * out), dims: [rows, out] } }
  return async () => {
    const started = performance.now()
    const { y: found } = await runner.run(feeds, into)
    return { ms: performance.now() - started, y: found!.data as Float32Array }
  }
}

const opened = await Promise.all(
  Object.entries(WAYS).map(async ([name, build]) => ({ name, run: await open(build) })),
)
const lengthOf = (numbers: Float32Array) => Math.hypot(...numbers.subarray(0, 100_000))
const exact = (await opened[0]!.run()).y.slice()
const times = new Map<string, number[]>(opened.map(({ name }) => [name, []]))
const errors = new Map<string, number>()
for (let i = 0; i < runs; i++)
  for (const { name, run } of opened) {
    const { ms, y } = await run()
    times.get(name)!.push(ms)
    if (i === 0) errors.set(name, lengthOf(y.map((value, at) => value - exact[at]!)))
  }
process.stdout.write(`${showMachine(machine())}; ${rows} × ${width} → ${out}, ${threads} threads\n`)
for (const { name } of opened) {
  const { min, median } = spread(times.get(name)!)
  const error = (errors.get(name)! / lengthOf(exact)).toExponential(1)
  process.stdout.write(
    `${name.padEnd(50)} ${min.toFixed(2)} ms at least, ${median.toFixed(2)} median, off by ${error}\n`,
  )
}
process.exit(0)
