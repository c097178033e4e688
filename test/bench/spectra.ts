/**
 * @file How long the base's decomposition and the scan of one LoRA checkpoint (base cached) take against numpy's full SVDs of the
 * same matrices, in turns in one run; TOUCHSTONE_NATIVE=off is the same without the addon: `test/bench/spectra.ts [--layers 30] [--runs 3] [--rank 8] [--python python3] [--json]`. Shapes are SmolLM2-135M's,
 * seven matrices a layer, or with `--square N` one of N × N, their spectra a trained model's (σ_i ∝ i^−½); cosines of both sides are compared on the way.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { numerics } from '../../evals/native/load.ts'
import { openBaseStore } from '../../evals/spectra/base-store.ts'
import { scanModel, type MatrixPlace } from '../../evals/spectra/compare.ts'
import { fillNormal, randomStream } from '../../evals/statistics/random.ts'
import { bootstrap } from '../../evals/statistics/bootstrap.ts'
import { parse, wholeNumber } from './harness/bench-options.ts'
import { startLineProcess } from './harness/line-process.ts'
import { machine, showMachine } from './harness/machine.ts'
import { showSpread, spread } from './harness/measure.ts'
import { matrixFile } from './harness/spectra-files.ts'

const values = parse({
  layers: { type: 'string', default: '30' },
  runs: { type: 'string', default: '3' },
  rank: { type: 'string', default: '8' },
  square: { type: 'string' },
  python: { type: 'string', default: 'python3' },
  json: { type: 'boolean', default: false },
})
const layers = wholeNumber('layers', values.layers, 1, 1000)
const runs = wholeNumber('runs', values.runs, 1, 100)
const rank = wholeNumber('rank', values.rank, 1, 64)
const say = (line: string) => process.stdout.write(values.json ? '' : `${line}\n`)

const square =
  values.square === undefined ? undefined : wholeNumber('square', values.square, 2, 16384)

/** SmolLM2-135M's linear layers, `[out, in]`. */
const SMOLLM2: readonly (readonly [string, number, number])[] = [
  ['q_proj', 576, 576],
  ['k_proj', 192, 576],
  ['v_proj', 192, 576],
  ['o_proj', 576, 576],
  ['gate_proj', 1536, 576],
  ['up_proj', 1536, 576],
  ['down_proj', 576, 1536],
]
const SHAPES = square === undefined ? SMOLLM2 : ([['square', square, square]] as const)
const places: MatrixPlace[] = Array.from({ length: layers }, (_, layer) =>
  SHAPES.map(([module, m, n]) => ({
    layer,
    module,
    weight: `layers.${layer}.${module}`,
    shape: [m, n] as [number, number],
  })),
).flat()

const normals = (length: number, label: string) =>
  fillNormal(new Float32Array(length), randomStream(1, label))

/** Columns of noise, each weighed by i^−½: a heavy tail, and no two σ alike. */
function baseWeight({ shape: [m, n], weight }: MatrixPlace): Float32Array {
  const noise = normals(m * n, weight)
  const size = 1 / Math.sqrt(n)
  return noise.map((x, at) => size * x * ((at % n) + 1) ** -0.5)
}

interface Matrices {
  readonly base: Map<string, Float32Array>
  readonly change: Map<string, { A: Float32Array; B: Float32Array; rank: number; scale: number }>
}

function makeMatrices(): Matrices {
  const base = new Map<string, Float32Array>()
  const change: Matrices['change'] = new Map()
  for (const place of places) {
    const [m, n] = place.shape
    base.set(place.weight, baseWeight(place))
    const A = normals(rank * n, `${place.weight} A`).map((x) => x / Math.sqrt(n))
    const B = normals(m * rank, `${place.weight} B`).map((x) => x / Math.sqrt(m))
    change.set(place.weight, { A, B, rank, scale: 0.5 })
  }
  return { base, change }
}

async function scan({ base, change }: Matrices, folder: string) {
  const began = performance.now()
  const alignment: number[][] = []
  const rows = scanModel({
    matrices: places,
    readBase: (name) => base.get(name)!,
    tuned: [
      {
        key: { arm: 'lora', seed: 0, step: 1 },
        read: () => {
          throw new Error('the scan fell back to a full decomposition')
        },
        readChange: (name) => change.get(name),
      },
    ],
    detail: 'leading',
    store: openBaseStore({ folder }),
  })
  for await (const row of rows) alignment.push(row.alignment)
  return { ms: performance.now() - began, alignment }
}

const Scanned = z.object({ ms: z.number(), alignment: z.array(z.array(z.number())) })
const Decomposed = z.object({ ms: z.number() })

interface Pair {
  readonly ours: number
  readonly numpy: number
}

const largestError = (ours: readonly number[][], numpy: readonly number[][]): number =>
  Math.max(...ours.flatMap((c, i) => c.map((x, j) => Math.abs(x - numpy[i]![j]!))))

/** Ours decomposes the base into an empty cache, keeps it there and scans; numpy decomposes it alone. */
async function measure(folder: string) {
  const matrices = makeMatrices()
  const file = join(folder, 'matrices.f32')
  await matrixFile(file, places, matrices)
  const script = join(import.meta.dirname, 'peers', 'spectra_numpy.py')
  const peer = await startLineProcess(values.python, [script, file, String(rank)])
  const bases: Pair[] = []
  const scans: Pair[] = []
  const errors: number[] = []
  for (let run = 0; run < runs; run++) {
    const cache = join(folder, `cache-${run}`)
    const base = await peer.ask({ work: 'base' }, Decomposed)
    const first = await scan(matrices, cache)
    bases.push({ ours: first.ms, numpy: base.ms })
    const numpy = await peer.ask({ work: 'scan' }, Scanned)
    const again = await scan(matrices, cache)
    scans.push({ ours: again.ms, numpy: numpy.ms })
    errors.push(...[first, again].map(({ alignment }) => largestError(alignment, numpy.alignment)))
    await rm(cache, { recursive: true })
  }
  await peer.quit()
  return { base: compared(bases), scan: compared(scans), error: Math.max(...errors) }
}

function compared(pairs: readonly Pair[]) {
  const ratios = pairs.map(({ ours, numpy }) => numpy / ours)
  const { estimate, lower, upper } = bootstrap(
    ratios.length,
    (drawn) => spread(Array.from(drawn, (i) => ratios[i]!)).median,
    { seed: 1 },
  )
  return {
    ours: spread(pairs.map((pair) => pair.ours)),
    numpy: spread(pairs.map((pair) => pair.numpy)),
    ratio: { median: estimate!, lower: lower!, upper: upper! },
  }
}

const show = (what: string, { ours, numpy, ratio }: ReturnType<typeof compared>): string =>
  `${what}: ours ${showSpread(ours)}; numpy ${showSpread(numpy)}; numpy / ours ${ratio.median.toFixed(2)} ` +
  `(95 % interval ${ratio.lower.toFixed(2)}–${ratio.upper.toFixed(2)})`

say(
  `${showMachine(machine())}; ${numerics().name}; ${places.length} matrices, rank ${rank}, ${runs} pairs`,
)
const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-spectra-'))
try {
  const { base, scan: scanned, error } = await measure(folder)
  say(show('base decomposed, kept and scanned, against its SVDs', base))
  say(show('scan with the base kept, against full SVDs', scanned))
  say(`largest difference of a cosine ${error.toExponential(1)}`)
  if (values.json) {
    const on = { machine: machine(), arithmetic: numerics().name, matrices: places.length, rank }
    process.stdout.write(`${JSON.stringify({ ...on, base, scan: scanned, error }, null, 2)}\n`)
  }
  // Different cosines would be different work.
  if (error > 1e-5) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
