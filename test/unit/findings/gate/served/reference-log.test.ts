/** @file A pinned reference that is a copy of the fine-tune's own log: nothing is lost since it, whatever it is called. */
import { expect, test } from 'vitest'
import { keyOf } from '../../../../../evals/contract/keys.ts'
import type { ComparedRun, Wording } from '../../../../../evals/findings/gate/compared-run.ts'
import { decide, defaultGate } from '../../../../../evals/findings/gate/decide.ts'
import { pinnedIn, toPinned } from '../../../../../evals/findings/pinned.ts'
import { confirmed, planted, plannedRun } from '../../../../doubles/rows/compared-runs.ts'

const N = 400
const PATH = 'first.log'

/** Of which the first `own` replies are its own. */
function stateOf(arm: string, format: string, own: number, more: Partial<ComparedRun> = {}) {
  const rates = { b: { role: 'capability', counts: planted(N, N) } } as const
  const { judged, ...rest } = confirmed(plannedRun({ arm, rates }))
  const told = Array.from({ length: N }, (_, i): [string, Wording] => [
    keyOf('b', `b-${i}`, 0),
    { of: 'reply', digest: i < own ? `${i} of ${arm}` : `${i}` },
  ])
  return {
    ...{ ...rest, format, origin: `${arm}.log`, runId: arm },
    judged: judged.map((row) => ({ ...row, cluster: row.sampleId })),
    wordings: () => new Map(told),
    ...more,
  } satisfies ComparedRun
}

const kept = (run: ComparedRun) =>
  pinnedIn(
    {
      artifacts: [
        {
          ...{ role: 'pinned reference', path: PATH, digest: '', bytes: 0 },
          content: { kind: 'reference', run: toPinned(run) },
        },
      ],
    },
    PATH,
  )!

function decided(reference: ComparedRun, after: ComparedRun, distinct: string[] = []) {
  const pair = { before: stateOf('base', 'touchstone', N), after }
  const gate = { ...defaultGate(0.05), reference: { run: PATH }, distinct }
  const judges = new Map([['b', 'house']])
  const found = decide(gate, { against: [pair], steps: [], judges, reference })
  return {
    since: found.claims.find(({ against }) => against === 'reference')!,
    outcome: found.outcome,
    said: found.assumptions!.find(({ name }) => name === 'reference')!,
  }
}

test.each([
  ['that says what the fine-tune says', 0, 'its 400 replies are the reference’s'],
  ['with four other replies', 4, '4 of its 400 replies differ from the reference’s'],
])('a pinned log %s decides nothing', (_, own, says) => {
  const reference = kept(stateOf('first', 'inspect', own))
  const { outcome, since, said } = decided(reference, stateOf('tuned', 'touchstone', 0))
  expect([outcome, since.outcome]).toEqual(['INCONCLUSIVE', 'INCONCLUSIVE'])
  expect(since.sentence).toContain(says)
  expect(since.sentence).toContain('See that first.log is the log of an earlier release')
  expect(said).toMatchObject({ state: 'assumed' })
  expect(said.how).toContain(`tuned: ${says}`)
})

test('with five other replies, or by the word of the gate, it does', () => {
  const tuned = stateOf('tuned', 'touchstone', 0)
  expect(decided(kept(stateOf('first', 'inspect', 5)), tuned).outcome).toBe('PASS')
  expect(decided(kept(stateOf('first', 'inspect', 0)), tuned, ['tuned']).outcome).toBe('PASS')
})

test('a log without replies passes, and the list says that none are at hand', () => {
  const reference = kept(stateOf('first', 'inspect', 0, { wordings: () => new Map() }))
  const { outcome, said } = decided(reference, stateOf('tuned', 'touchstone', 0))
  expect(outcome).toBe('PASS')
  expect(said.how).toContain('tuned: no replies of both are at hand')
})

test('of a run of our own no digest of a reply is kept, and nothing is said of its replies', () => {
  const reference = kept(stateOf('first', 'touchstone', 0))
  expect(reference.wordings).toBeUndefined()
  const { outcome, said } = decided(reference, stateOf('tuned', 'touchstone', 0))
  expect(outcome).toBe('PASS')
  expect(said).toMatchObject({ state: 'checked' })
})
