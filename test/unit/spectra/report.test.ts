/** @file The report's spectra: counts over k and ε, similarity, and names that are not markup. */
import { describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import type { Results } from '../../../evals/contract/results.ts'
import type { SpectrumRow } from '../../../evals/contract/rows.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { spectraSection } from '../../../evals/document/sections/spectra.ts'
import { compareWeight } from '../../doubles/compare-weight.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'
import { gaussian, randomUnit, withSpike } from './fixtures.ts'

const W0 = gaussian(48, 64, 1)
const W1 = withSpike(W0, 40, randomUnit(48, 2), randomUnit(64, 3))
const rowOf = (arm: string, weight = 'layers.0.q_proj', detail: 'leading' | 'full' = 'full') =>
  compareWeight({
    key: { arm, seed: 0, step: 3 },
    layer: 0,
    module: 'q_proj',
    weight,
    shape: [48, 64] as [number, number],
    detail,
    W0: W0.data,
    W1: W1.data,
  })

const page = (spectra: SpectrumRow[], more: Partial<Results> = {}) =>
  toHtml(
    sectionsMarkup(spectraSection({ ...buildResults({ ...plannedAudit(), spectra }), ...more })),
  ).replaceAll('\u00a0', ' ')

describe('spectraSection', () => {
  test('counts over k and ε are those of the rows', () => {
    const row = rowOf('lora')
    const profile = row.details!.profile!
    expect(profile).toHaveLength(48)
    const shown = page([row])
    for (const [k, epsilon] of [
      [1, 0.5],
      [20, 0.9],
      [48, 0.7],
    ] as const) {
      const count = profile.slice(0, k).filter((c) => c < epsilon).length
      expect(shown).toContain(`${count} of ${k}`)
    }
    expect(shown).toContain('k = 20')
    expect(shown).not.toContain('k = 50')
  })

  test('leading directions alone give k up to ten, and no similarity', () => {
    const shown = page([rowOf('lora', 'q', 'leading')])
    expect(shown).toContain('k = 10')
    expect(shown).not.toContain('k = 20')
    expect(shown).not.toContain('|⟨u1, u0⟩|')
  })

  test('the least aligned directions are listed first, each with its p by chance; the table of matrices has both stable ranks', () => {
    const row = rowOf('lora')
    const order = row.alignment.map((c, j) => [c, row.nullP[j]!] as const).sort(([a], [b]) => a - b)
    const shown = page([row])
    const cells = order.map(([c, p]) => [`>${c.toFixed(3)}<`, `>${p.toPrecision(2)}<`] as const)
    const list = shown.slice(shown.indexOf('least aligned of 10'))
    let at = 0
    for (const [c, p] of cells) {
      at = list.indexOf(c, at)
      expect(at).toBeGreaterThan(0)
      expect(list.indexOf(p, at)).toBeGreaterThan(at)
    }
    const { stableRank, stableRankOfChange } = row.details!
    expect(shown).toContain(`>${stableRank!.toFixed(2)}<`)
    expect(shown).toContain(`>${stableRankOfChange!.toFixed(2)}<`)
    for (const header of ['Stable rank of W', 'Of ΔW']) expect(shown).toContain(header)
  })

  test('similarity is shown for four arms at most, of the matrix with the most intruders', () => {
    const arms = Array.from({ length: 6 }, (_, i) => rowOf(`arm-${i}`))
    const quiet = { ...rowOf('arm-0', 'layers.0.quiet'), intruders: 0, module: 'k_proj' }
    const shown = page([quiet, ...arms])
    expect(
      shown.match(/\|⟨u1, u0⟩\| of the leading directions of layers\.0\.q_proj/g),
    ).toHaveLength(4)
    expect(shown).not.toContain('directions of layers.0.quiet')
    expect(shown.length).toBeLessThan(1e6)
  })

  test('the link to refusal is a table with its caveat', () => {
    const link = { arm: 'lora', benchmark: 'house-refusal', judge: 'j', states: 10, seeds: 2 }
    const shown = page([rowOf('lora')], {
      spectrumLinks: [{ ...link, rho: -0.875, lower: -1, upper: -0.5 }],
    })
    expect(shown).toContain('−0.88')
    expect(shown).toContain('no proof of cause')
  })

  test('names from a checkpoint are text', () => {
    const shown = page([rowOf('<img src=x>', '"><script>alert(1)</script>')])
    expect(shown).not.toContain('<script')
    expect(shown).not.toContain('<img')
  })

  test('rows of earlier versions, without details, are shown', () => {
    const row = rowOf('lora')
    delete row.details
    expect(page([row])).toContain('k = 10')
  })
})
