/**
 * @file The law of the addon's operators for serving: adapters and caches that lie in scattered cells give what the formulas give
 * in float64, and a row's bits do not depend on the rows beside it.
 */
import { describe, expect, test } from 'vitest'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { load } from '../../evals/native/load.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import type { Feeds, Tensor } from '../../evals/runtime/tensor.ts'
import { randomStream } from '../../evals/statistics/random.ts'

const found = load()
const title = found.addon
  ? 'serving'
  : `serving (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const device = { name: 'cpu', threads: 2 } as const

const stream = randomStream(11, 'native serving')
const normal = (...dims: number[]): Tensor => ({
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => stream.normal()),
  dims,
})
const whole = (values: readonly number[], dims = [values.length]): Tensor => ({
  data: Int32Array.from(values),
  dims,
})
const at = ({ data }: Tensor, i: number) => Number(data[i])

function near(got: ArrayLike<number>, wanted: readonly number[]): void {
  const size = Math.max(1, ...wanted.map(Math.abs))
  expect(got).toHaveLength(wanted.length)
  expect(Math.max(...wanted.map((value, i) => Math.abs(value - got[i]!)))).toBeLessThan(1e-5 * size)
}

const [CELLS, KV_HEADS, DIM] = [64, 2, 16]
const WIDTH = KV_HEADS * DIM

describe.skipIf(!found.addon)(title, () => {
  describe.each([
    [1, 40, 20],
    [8, 40, 70],
    [11, 33, 100],
  ])('products of rank %i, [%i, %i]', (rank, columns, out) => {
    const [firstA, firstB] = [5, 7]
    const each = Math.ceil((7 + rank * Math.max(columns, out)) / WIDTH)
    const pool = {
      keys: normal(3 * each * KV_HEADS, DIM),
      values: normal(3 * each * KV_HEADS, DIM),
    }
    // Adapters whose cells lie between each other's, in no order.
    const cellsOf = (k: number) => Array.from({ length: each }, (_, i) => 3 * (each - 1 - i) + k)
    const number = (part: Tensor, k: number, i: number) =>
      at(part, cellsOf(k)[Math.floor(i / WIDTH)]! * WIDTH + (i % WIDTH))

    async function products(x: Tensor, y: Tensor, adapters: readonly number[]) {
      const g = createGraph()
      const buffer = (name: string) => g.input(name, 'float32', ['cells', DIM])
      const inputs = [
        ...[g.input('y', 'float32', ['rows', out]), g.input('x', 'float32', ['rows', columns])],
        ...[buffer('keys'), buffer('values')],
        g.input('table', 'int32', ['adapters', each]),
        g.input('own', 'int32', ['batch']),
      ]
      const sum = g.addLowRank(inputs, { rank, width: WIDTH, firstA, firstB })
      const runner = await createRunner(g, { sum }, { device, purpose: 'generate' })
      const table = whole([0, 1, 2].flatMap(cellsOf), [3, each])
      const results = await runner.run({ x, y, ...pool, table, own: whole(adapters) })
      await runner.release()
      return results.sum!.data as Float32Array
    }

    test('y + x·A·B of each row’s own adapter, to the same bits alone', async () => {
      const [x, y] = [normal(8, columns), normal(8, out)]
      const adapters = [2, -1, 0, 2]
      const together = await products(x, y, adapters)
      const wanted = Array.from({ length: 8 * out }, (_, i) => {
        const [row, o] = [Math.floor(i / out), i % out]
        const k = adapters[Math.floor(row / 2)]!
        if (k < 0) return at(y, i)
        let sum = at(y, i)
        for (let r = 0; r < rank; r++)
          for (let c = 0; c < columns; c++)
            sum +=
              at(x, row * columns + c) *
              number(pool.keys, k, firstA + c * rank + r) *
              number(pool.values, k, firstB + r * out + o)
        return sum
      })
      near(together, wanted)
      const row = ({ data }: Tensor, width: number): Tensor => ({
        data: (data as Float32Array).slice(7 * width, 8 * width),
        dims: [1, width],
      })
      const alone = await products(row(x, columns), row(y, out), [2])
      expect(alone).toEqual(together.slice(7 * out))
    })
  })

  describe.each([
    ['plainly', {}],
    ['with a window and a cap', { window: 3, softcap: 2 }],
  ])(
    'attention over cells, %s',
    (_, { window, softcap }: { window?: number; softcap?: number }) => {
      const [heads, seq, scale] = [4, 2, 0.3]
      const held = [5, 0, 2]
      const count = [1, 2, 0]
      const cells = [9, 3, 40, 11, 6, 17, 8, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35, 36, 37, 38]
      const table = whole(cells, [3, 7])
      const q = normal(3 * seq, heads * DIM)
      const [k, v] = [normal(3 * seq, WIDTH), normal(3 * seq, WIDTH)]
      const fresh = { keys: normal(CELLS * KV_HEADS, DIM), values: normal(CELLS * KV_HEADS, DIM) }
      const angles = Array.from({ length: 8 * (DIM / 2) }, () => stream.uniform() * 6)
      const tables = [Math.cos, Math.sin].map((f): Tensor => ({
        data: Float32Array.from(angles, f),
        dims: [8, DIM / 2],
      }))

      async function attend(rows: readonly number[], isTurned: boolean) {
        const g = createGraph()
        const float = (name: string, width: number) => g.input(name, 'float32', ['rows', width])
        const buffer = (name: string) => g.input(name, 'float32', ['cells', DIM])
        const each = (name: string) => g.input(name, 'int32', ['batch'])
        const turns = ['cos', 'sin'].map((name) => g.input(name, 'float32', [8, DIM / 2]))
        const inputs = [
          ...[float('q', heads * DIM), float('k', WIDTH), float('v', WIDTH)],
          ...[buffer('keys'), buffer('values'), g.input('table', 'int32', ['batch', 'capacity'])],
          ...[each('from'), each('count'), ...(isTurned ? turns : [])],
        ]
        const own = { ...(window && { window }), ...(softcap && { softcap }) }
        const shape = { heads, kvHeads: KV_HEADS, headDim: DIM, scale, ...own }
        const mixed = g.pagedAttention(inputs, shape)
        const runner = await createRunner(g, { mixed }, { device, purpose: 'generate' })
        const chosen = ({ data, dims }: Tensor): Tensor => {
          const width = data.length / 3
          const parts = rows.flatMap((b) => [...data.slice(b * width, (b + 1) * width)].map(Number))
          const values =
            data instanceof Int32Array ? Int32Array.from(parts) : Float32Array.from(parts)
          return { data: values, dims: dims.with(0, (dims[0]! / 3) * rows.length) }
        }
        const pool: Feeds = {
          keys: { ...fresh.keys, data: fresh.keys.data.slice() },
          values: { ...fresh.values, data: fresh.values.data.slice() },
        }
        const results = await runner.run({
          ...{ q: chosen(q), k: chosen(k), v: chosen(v), ...pool, table: chosen(table) },
          ...{ from: chosen(whole(held)), count: chosen(whole(count)) },
          ...{ cos: tables[0]!, sin: tables[1]! },
        })
        await runner.release()
        return { mixed: results.mixed!.data as Float32Array, pool }
      }

      const turned = (x: readonly number[], position: number, isTurned: boolean): number[] => {
        if (!isTurned) return [...x]
        const half = DIM / 2
        const part = (t: Tensor, i: number) => at(t, position * half + (i % half))
        const [cos, sin] = [tables[0]!, tables[1]!]
        return x.map((value, i) =>
          i < half
            ? value * part(cos, i) - x[i + half]! * part(sin, i)
            : value * part(cos, i) + x[i - half]! * part(sin, i),
        )
      }
      const slice = ({ data }: Tensor, start: number) =>
        [...data.slice(start, start + DIM)].map(Number)

      /** The key and the value of a row's token, new or in the cache. */
      function tokenOf(b: number, head: number, position: number, isTurned: boolean) {
        const t = position - held[b]!
        const own = ((b * seq + t) * KV_HEADS + head) * DIM
        if (t >= 0) return { key: turned(slice(k, own), position, isTurned), value: slice(v, own) }
        const start = (cells[b * 7 + position]! * KV_HEADS + head) * DIM
        return { key: slice(fresh.keys, start), value: slice(fresh.values, start) }
      }

      function formula(isTurned: boolean): number[] {
        return Array.from({ length: 3 * seq * heads }, (_each, i) => {
          const [b, t, head] = [
            Math.floor(i / (seq * heads)),
            Math.floor(i / heads) % seq,
            i % heads,
          ]
          if (t >= count[b]!) return new Array<number>(DIM).fill(0)
          const position = held[b]! + t
          const query = turned(slice(q, i * DIM), position, isTurned)
          const first = window ? Math.max(0, position + 1 - window) : 0
          const seen = Array.from({ length: position + 1 - first }, (_one, j) =>
            tokenOf(b, Math.floor(head / 2), first + j, isTurned),
          )
          const scores = seen.map(({ key }) => {
            const raw = scale * key.reduce((sum, value, d) => sum + value * query[d]!, 0)
            return Math.exp(softcap ? softcap * Math.tanh(raw / softcap) : raw)
          })
          const total = scores.reduce((a, b2) => a + b2)
          return Array.from({ length: DIM }, (_one, d) =>
            seen.reduce((sum, { value }, j) => sum + (scores[j]! / total) * value[d]!, 0),
          )
        }).flat()
      }

      test.each([false, true])('the formula’s numbers, positions inside: %s', async (isTurned) => {
        const { mixed } = await attend([0, 1, 2], isTurned)
        near(mixed, formula(isTurned))
      })

      test('new keys and values lie in their cells, nothing else is touched, and a row has its bits alone', async () => {
        const { mixed, pool } = await attend([0, 1, 2], true)
        const own = new Map([
          [cells[5]!, { row: 0, position: 5 }],
          [cells[7]!, { row: 1, position: 0 }],
          [cells[8]!, { row: 1, position: 1 }],
        ])
        for (let cell = 0; cell < CELLS; cell++)
          for (let head = 0; head < KV_HEADS; head++) {
            const start = (cell * KV_HEADS + head) * DIM
            const fed = own.get(cell)
            const { key, value } = fed
              ? tokenOf(fed.row, head, fed.position, true)
              : { key: slice(fresh.keys, start), value: slice(fresh.values, start) }
            near(slice(pool.keys!, start), key)
            expect(slice(pool.values!, start)).toEqual(value)
          }
        const alone = await attend([1], true)
        expect(alone.mixed).toEqual(mixed.slice(seq * heads * DIM, 2 * seq * heads * DIM))
      })
    },
  )
})
