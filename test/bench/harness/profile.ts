/** @file Where a graph's time goes: ONNX Runtime's profile, summed by operator and by operator with its shapes. */
import { z } from 'zod'

const Event = z.object({
  cat: z.string(),
  name: z.string(),
  ts: z.number(),
  dur: z.number(),
  args: z
    .object({
      op_name: z.string().optional(),
      input_type_shape: z.array(z.record(z.string(), z.array(z.number()))).optional(),
      output_type_shape: z.array(z.record(z.string(), z.array(z.number()))).optional(),
    })
    .optional(),
})
type Event = z.infer<typeof Event>

interface ProfileRow {
  readonly name: string
  /** In one repetition. */
  readonly calls: number
  /** Mean over the repetitions. */
  readonly ms: number
  /** The fastest call of each node and shape instead of the mean: what a busy machine hides least. */
  readonly quietMs: number
}

interface Profile {
  /** Whole runs, and of them what lies inside kernels, in one repetition. */
  readonly runMs: number
  readonly kernelMs: number
  /** Slowest first. */
  readonly operators: readonly ProfileRow[]
  readonly shapes: readonly ProfileRow[]
  readonly products: Products
}

/** What the matrix products of one repetition do, and how long they take. */
interface Products {
  /** A multiplication and an addition are two. */
  readonly operations: number
  readonly ms: number
  readonly quietMs: number
}

interface Repetitions {
  /** Runs of the graph in one repetition. */
  readonly runs: number
  /** Repetitions left out at the beginning. */
  readonly skipped: number
}

/** @param text the file that ONNX Runtime wrote */
export function readProfile(text: string, { runs, skipped }: Repetitions): Profile {
  const events = z.array(Event).parse(JSON.parse(text))
  const all = events.filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
  const counted = all.sort((a, b) => a.ts - b.ts).slice(runs * skipped)
  if (counted.length === 0)
    throw new Error('The profile holds no run after those that are skipped.')
  const repetitions = counted.length / runs
  const since = counted[0]!.ts
  const kernels = events.filter(
    ({ cat, name, ts }) => cat === 'Node' && name.endsWith('_kernel_time') && ts >= since,
  )
  const total = (of: readonly Event[]) =>
    of.reduce((sum, { dur }) => sum + dur, 0) / 1000 / repetitions
  const fastest = (of: readonly Event[]) =>
    (of.length * Math.min(...of.map(({ dur }) => dur))) / 1000
  const quiet = (of: readonly Event[]) =>
    [...Map.groupBy(of, (event) => `${event.name} ${shapesOf(event)}`).values()].reduce(
      (sum, calls) => sum + fastest(calls) / repetitions,
      0,
    )
  const grouped = (nameOf: (event: Event) => string) =>
    [...Map.groupBy(kernels, nameOf)]
      .map(([name, group]) => ({
        name,
        calls: group.length / repetitions,
        ms: total(group),
        quietMs: quiet(group),
      }))
      .sort((a, b) => b.quietMs - a.quietMs)
  const products = kernels.filter((event) => operationsOf(event) > 0)
  return {
    products: {
      operations: products.reduce((sum, event) => sum + operationsOf(event), 0) / repetitions,
      ms: total(products),
      quietMs: quiet(products),
    },
    runMs: total(counted),
    kernelMs: total(kernels),
    operators: grouped(operatorOf),
    shapes: grouped((event) => `${operatorOf(event)} ${shapesOf(event)}`),
  }
}

const operatorOf = ({ args, name }: Event): string => args?.op_name ?? name

const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Gemm'])

/** 2·m·n·k of a product, any transposed: A is `[…, m, k]` or `[…, k, m]`, the output `[…, m, n]`; 0 of anything else. */
function operationsOf({ args }: Event): number {
  if (!PRODUCTS.has(args?.op_name ?? '')) return 0
  const [a, output] = [args?.input_type_shape, args?.output_type_shape].map((shapes) =>
    Object.values(shapes?.[0] ?? {}).at(0),
  )
  if (!a || !output || a.length < 2 || output.length < 2) return 0
  const k = (a.at(-1)! * a.at(-2)!) / output.at(-2)!
  return 2 * k * output.reduce((product, size) => product * size, 1)
}

const shapesOf = ({ args }: Event): string =>
  (args?.input_type_shape ?? [])
    .flatMap((input) => Object.values(input))
    .map((shape) => `[${shape.join(',')}]`)
    .join(' ')

const SHOWN = 25

/** Two tables as text, and what share of `peak` (operations a second) the products and the whole run reach. */
export function showProfile(profile: Profile, peak: number): string {
  const { runMs, kernelMs, operators, shapes } = profile
  const quietMs = operators.reduce((sum, row) => sum + row.quietMs, 0)
  const line = (row: ProfileRow) =>
    [
      `${row.quietMs.toFixed(1).padStart(9)} ms`,
      `${((100 * row.quietMs) / quietMs).toFixed(1).padStart(5)} %`,
      `mean ${row.ms.toFixed(1).padStart(7)} ms`,
      `${row.calls.toFixed(0).padStart(5)} ×`,
      row.name,
    ].join('  ')
  return [
    `In the graph ${runMs.toFixed(1)} ms, in its kernels ${kernelMs.toFixed(1)} ms, ${quietMs.toFixed(1)} ms if every call were its fastest:`,
    ...operators.slice(0, SHOWN).map(line),
    'By shapes of the inputs:',
    ...shapes.slice(0, SHOWN).map(line),
    showProducts(profile, peak),
  ].join('\n')
}

function showProducts({ products, runMs }: Profile, peak: number): string {
  const rate = (ms: number) => (1000 * products.operations) / ms
  const share = (ms: number) => `${((100 * rate(ms)) / peak).toFixed(0)} %`
  const giga = (value: number) => (value / 1e9).toFixed(0)
  return [
    `Matrix products do ${giga(products.operations)} billion operations; square matrices are multiplied at ${giga(peak)} billion a second here, at best.`,
    `Of that the products reach ${share(products.ms)} (${share(products.quietMs)} if every call were its fastest), the whole run ${share(runMs)}.`,
  ].join('\n')
}
