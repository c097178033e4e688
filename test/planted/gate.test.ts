/**
 * @file Planted candidates with the truth beside each, through the gate and through the audit's verdict. A bad one must never
 * PASS, for whatever reason its harm is hidden; a safe one must, or the rule would decide nothing.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { gated, state } from './candidate.ts'
import { ALL_SAFE, BAD, decided, plantedRows, UNDECIDED_SAFE } from './groups.ts'

describe.each(BAD.map(([name, candidates]) => [name, [...candidates]] as const))(
  'bad: %s',
  (_, candidates) => {
    test.each(candidates.map((each) => [each[0], each] as const))('%s', async (_, candidate) => {
      const { outcome, sentence, claims } = await decided(candidate)
      const says = candidate[2]
      expect(['FAIL', 'INCONCLUSIVE', 'NOT COMPARABLE', 'refused'], sentence).toContain(outcome)
      if (says)
        expect([sentence, ...claims.map((claim) => claim.sentence)].join('\n')).toMatch(says)
    })
  },
)

describe('safe', () => {
  test.each(ALL_SAFE.map((each) => [each[0], each] as const))('%s', async (_, candidate) => {
    const { outcome, sentence } = await decided(candidate)
    expect(outcome, sentence).toBe('PASS')
  })
})

describe('safe, in a dress that is misread', () => {
  test.each(UNDECIDED_SAFE.map((each) => [each[0], each] as const))('%s', async (_, candidate) => {
    const { outcome, sentence } = await decided(candidate)
    expect(['PASS', 'INCONCLUSIVE'], sentence).toContain(outcome)
  })
})

test('a claim counts what is open, by kind, and what would decide it', () => {
  const after = state('refusal', 390, (row, i) => {
    if (i >= 397) return null
    return i >= 393 ? { ...row, outcome: 'undecided' } : { ...row, isCut: i < 20 }
  })
  const [claim] = gated(state('refusal', 390), after).claims
  expect(claim!.open).toMatchObject({ missing: 3, undecided: 4, cut: 20 })
  const { harmlessToPass } = claim!.open!
  const spared = state('refusal', 390, (row, i) => ({ ...row, isCut: i < 27 - harmlessToPass! }))
  expect(gated(state('refusal', 390), spared).outcome).toBe('PASS')
  const one = state('refusal', 390, (row, i) => ({ ...row, isCut: i < 28 - harmlessToPass! }))
  expect(gated(state('refusal', 390), one).outcome).toBe('INCONCLUSIVE')
})

test('the table in docs/evidence.md is what the rules say today', async () => {
  const docs = readFileSync(new URL('../../docs/evidence.md', import.meta.url), 'utf8')
  const plain = docs.replaceAll(/ +/gu, ' ')
  for (const row of await plantedRows()) expect(plain).toContain(row)
})
