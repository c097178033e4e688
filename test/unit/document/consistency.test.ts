/** @file The same quantity is the same string in the report, the window, the Markdown card, the terminal and results.json's own numbers. */
import { describe, expect, test } from 'vitest'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { shownClaims } from '../../../evals/document/sections/gate.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { percent, signedPoints } from '../../../evals/contract/words.ts'
import { plannedAudit, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { changedByStoring, outputsOf, plainly, strayQuantities } from './quantities.ts'

const small = plannedRows({
  benchmarks: [{ ...REFUSAL, n: 96, base: 95 }],
  arms: [{ arm: 'lora', seed: 1, steps: { 40: { [REFUSAL.name]: { lost: 6, gained: 1 } } } }],
})

describe.each([
  ['an audit of two variants', plannedAudit()],
  ['a small one', small],
])('%s', (_, rows) => {
  const results = buildResults(rows)
  const outputs = outputsOf(results)
  const { claims, headline } = results.gate!

  test('every claim’s rates and harm, everywhere where it is shown', () => {
    const { shown } = shownClaims(claims)
    expect(shown.length).toBeGreaterThan(0)
    for (const [name, text] of Object.entries(outputs)) {
      const told = name === 'report' || name === 'window' ? claims : shown
      const quantities = told.flatMap(({ before, after, harm, lower, upper }) => [
        ...[before, after].map((share) => (share === null ? '' : percent(share))),
        ...[harm, lower, upper].map((change) => (change === null ? '' : signedPoints(change))),
      ])
      expect(
        quantities.filter((each) => !text.includes(each)),
        name,
      ).toEqual([])
    }
  })

  test('every quantity of the window is in the report, and every one of card and terminal in both', () => {
    expect(strayQuantities(results)).toEqual([])
  })

  test('results.json gives every output the same text', () => {
    expect(changedByStoring(results)).toEqual([])
  })

  test('the headline, and each sentence of a claim that decides', () => {
    const sentences = [headline, ...shownClaims(claims).shown.map(({ sentence }) => sentence)]
    for (const [name, text] of Object.entries(outputs)) {
      expect(
        sentences.filter((each) => !text.includes(plainly(each))),
        name,
      ).toEqual([])
    }
  })

  test('tiles, claims and pairs tell the same rates of one benchmark', () => {
    const tiles = sectionsOf(results, 'window').flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.type === 'tiles' ? block.rows : [])),
    )
    const rates = tiles.flatMap((row) => row.tiles.flatMap((tile) => tile?.rate ?? []))
    expect(rates.length).toBeGreaterThan(0)
    expect(rates.filter((rate) => !outputs.report.includes(rate))).toEqual([])
  })
})
