/** @file Merged adapters against PEFT’s add_weighted_adapter (make-merging.py), layer by layer to 1e-6. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mergeAdapters } from '../../evals/finetune/merging/merge.ts'
import { productOf } from '../../evals/finetune/merging/low-rank.ts'
import { MERGINGS } from '../../evals/finetune/merging/registry.ts'
import { scaleOf } from '../../evals/models/formats/peft-config.ts'

interface Fixture {
  readonly shapes: Record<string, [number, number]>
  readonly ranks: Record<string, { rank: number; alpha: number }>
  readonly adapters: Record<string, Record<string, { A: number[]; B: number[] }>>
  readonly cases: readonly {
    readonly kind: string
    readonly adapters: readonly string[]
    readonly weights: readonly number[]
    readonly options: { readonly svd_rank?: number; readonly density?: number }
    readonly change: Record<string, number[]>
  }[]
}

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'merging.json'), 'utf8'),
) as Fixture

function adapter(name: string) {
  const { rank, alpha } = fixture.ranks[name]!
  const tensors = Object.entries(fixture.adapters[name]!).flatMap(([layer, { A, B }]) => {
    const [rows, columns] = fixture.shapes[layer]!
    return [
      [`${layer}.lora_A.weight`, { shape: [rank, columns], data: Float32Array.from(A) }] as const,
      [`${layer}.lora_B.weight`, { shape: [rows, rank], data: Float32Array.from(B) }] as const,
    ]
  })
  const config = { base: 'base', rank, alpha, targetModules: ['up', 'down'] }
  return { path: name, folder: { config, tensors: new Map(tensors) } }
}

/** PEFT merges whole changes under names that end in `_svd`; that is our form of the same way. */
function wayOf(kind: string) {
  const peftCompat = !kind.endsWith('_svd')
  const name = kind.replace(/_svd$/u, '')
  const way = MERGINGS.find(({ peft }) => peft?.name === name)!
  return { way, peftCompat }
}

test.each(fixture.cases)('$kind of $adapters is PEFT’s', (each) => {
  const sources = each.adapters.map((name, i) => ({ ...adapter(name), weight: each.weights[i]! }))
  const { folder } = mergeAdapters(sources, {
    ...wayOf(each.kind),
    rank: each.options.svd_rank ?? null,
    density: each.options.density ?? 1,
    outputReweighting: false,
    seed: 0,
    sameBase: false,
  })
  for (const [layer, expected] of Object.entries(each.change)) {
    const [rows, columns] = fixture.shapes[layer]!
    const [A, B] = ['A', 'B'].map((side) => folder.tensors.get(`${layer}.lora_${side}.weight`)!)
    const rank = A!.shape[0]!
    const product = productOf(
      Float64Array.from(B!.data),
      Float64Array.from(A!.data),
      rows,
      rank,
      columns,
    )
    const scale = scaleOf(folder.config, layer)
    expect(scale).toBe(1)
    const size = Math.max(...expected.map(Math.abs))
    product.forEach((x, i) => expect(Math.abs(x * scale - expected[i]!)).toBeLessThan(1e-6 * size))
  }
})
