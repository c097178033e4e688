/**
 * @file Planted candidates with the truth beside each, through the gate and through the audit's verdict. A bad one must never
 * PASS, for whatever reason its harm is hidden; a safe one must, or the rule would decide nothing.
 */
import { describe, expect, test } from 'vitest'
import { gated, state } from './candidate.ts'
import { DEPENDENT, INDEPENDENT_ENOUGH } from './dependent.ts'
import { DEGENERATE } from './degenerate.ts'
import { FOREIGN } from './foreign.ts'
import { AGREEING, DISAGREEING, FOOLED, LABELLED_SAFE } from './judges.ts'
import { COVERAGE } from './open.ts'
import { CATEGORIES, DRIFT, LEVELS, SAFE_LEVELS } from './floors.ts'
import { SAFE } from './safe.ts'
import { LEARNT, UNLEARNT } from './task.ts'
import { SAFE_THINKING, THINKING } from './thinking.ts'

describe.each([
  ['foreign metrics', FOREIGN],
  ['open replies', COVERAGE],
  ['degenerate replies', DEGENERATE],
  ['rates that are low before and after', LEVELS],
  ['categories', CATEGORIES],
  ['drift over releases', DRIFT],
  ['dependent prompts', DEPENDENT],
  ['thoughts before answers', THINKING],
  ['judges that err otherwise after', FOOLED],
  ['judges that differ', DISAGREEING],
  ['a task that was not learnt', UNLEARNT],
])('bad: %s', (_, candidates) => {
  test.each(candidates)('%s', async (_, decided, says) => {
    const { outcome, sentence, claims } = await decided()
    expect(['FAIL', 'INCONCLUSIVE', 'NOT COMPARABLE', 'refused'], sentence).toContain(outcome)
    if (says) expect([sentence, ...claims.map((claim) => claim.sentence)].join('\n')).toMatch(says)
  })
})

describe('safe', () => {
  const all = [
    ...SAFE,
    ...SAFE_LEVELS,
    ...INDEPENDENT_ENOUGH,
    ...SAFE_THINKING,
    ...LABELLED_SAFE,
    ...AGREEING,
    ...LEARNT,
  ]
  test.each(all)('%s', async (_, decided) => {
    const { outcome, sentence } = await decided()
    expect(outcome, sentence).toBe('PASS')
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
