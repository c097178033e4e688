/** @file A fine-tune behind an address passes where something shows that it is another model than its base, and only there. */
import { describe, expect, test } from 'vitest'
import type { GateRule } from '../../../../../evals/contract/gate/rule.ts'
import type { ComparedRun, ServedState } from '../../../../../evals/findings/gate/compared-run.ts'
import { decide, defaultGate } from '../../../../../evals/findings/gate/decide.ts'
import { doubtOf } from '../../../../../evals/findings/gate/served/another-model.ts'
import { randomStream } from '../../../../../evals/statistics/random.ts'
import { confirmed, planted, plannedRun } from '../../../../doubles/rows/compared-runs.ts'

const N = 400
const HERE = 'http://127.0.0.1:8000/v1'
const THERE = 'http://127.0.0.1:8001/v1'

/** Whose text each reply has: 0 is the base's first. */
type Texts = readonly number[]
const SAME: Texts = Array.from({ length: N }, () => 0)
const differing = (first: number, count: number): Texts =>
  SAME.map((_, i) => (i >= first && i < first + count ? 1 : 0))

interface Planned {
  readonly after: Texts
  /** Of the base when it is asked again. */
  readonly again?: Texts
  readonly at?: string
  readonly prints?: readonly [string | null, string | null]
  readonly lost?: number
  readonly gate?: Partial<GateRule>
}

const named = (texts: Texts) => new Map(texts.map((text, i) => [`b-${i}`, `text ${text}`]))

function statesOf({ after, again = SAME, at = HERE, prints = [null, null], lost = 0 }: Planned) {
  const known = new Map(again.map((text, i) => [`b-${i}`, text === 0]))
  const run = (arm: string, gone: number, texts: Texts, own: Omit<ServedState, 'again'>) => {
    const rates = { b: { role: 'capability', counts: planted(N, N, gone) } } as const
    const { judged, ...rest } = confirmed(plannedRun({ arm, rates }))
    return {
      ...rest,
      judged: judged.map((row) => ({ ...row, cluster: row.sampleId })),
      served: { ...own, again: known },
      replies: () => named(texts),
    } satisfies ComparedRun
  }
  const before = run('base', 0, SAME, { addresses: [HERE], fingerprint: prints[0] })
  return { before, after: run('tuned', lost, after, { addresses: [at], fingerprint: prints[1] }) }
}

function decided(plan: Planned) {
  const judges = new Map([['b', 'house']])
  const pair = { against: [statesOf(plan)], steps: [], judges }
  const found = decide({ ...defaultGate(0.05), ...plan.gate }, pair)
  const said = found.assumptions!.find(({ name }) => name === 'another-model')
  return { ...found, said }
}

describe('a served fine-tune', () => {
  test.each<[string, Planned, string]>([
    ['says what its base says', { after: SAME }, 'its 400 replies are the base’s to the letter'],
    ['differs by chance', { after: differing(0, 4) }, '4 of its 400 replies differ'],
    [
      'differs as its base does',
      { after: differing(0, 20), again: differing(15, 15) },
      '20 of its 400 replies differ from the base’s, and 15 of 400 of the base’s own',
    ],
    ['is signed as its base', { after: SAME, prints: ['a', 'a'] }, 'to the letter'],
    ['alone is signed', { after: SAME, prints: [null, 'a'] }, 'to the letter'],
    ['is signed by another build', { after: SAME, prints: ['a', 'b'], at: THERE }, 'to the letter'],
    ['differs by its machine', { after: differing(0, 200), at: THERE }, 'another machine'],
    ['differs, and nobody asked its base again', { after: differing(0, N), again: [] }, '0 of 0'],
    ['is at hand without its words', { after: [] }, 'no replies of both'],
    [
      'is taken as loaded by another name',
      { after: SAME, gate: { distinct: ['other'] } },
      'to the letter',
    ],
    [
      'differs by chance at a smaller α',
      { after: differing(0, 6), gate: { alpha: 0.01 } },
      '6 of its 400',
    ],
  ])('that %s is undecided', (_, plan, says) => {
    const { outcome, claims, said } = decided(plan)
    expect(outcome).toBe('INCONCLUSIVE')
    expect(claims.map((claim) => claim.outcome)).not.toContain('PASS')
    expect(claims[0]!.sentence).toContain('nothing shows that tuned was loaded: ')
    expect(claims[0]!.sentence).toContain(says)
    expect(said).toMatchObject({ state: 'assumed' })
  })

  test.each<[string, Planned, 'checked' | 'assumed', string]>([
    ['differs', { after: differing(0, 5) }, 'checked', '5 of its 400 replies differ'],
    [
      'differs more than its base does',
      { after: differing(0, 30), again: differing(20, 15) },
      'checked',
      'and 15 of 400 of the base’s own',
    ],
    ['is signed otherwise', { after: SAME, prints: ['a', 'b'] }, 'checked', 'signs it otherwise'],
    [
      'differs mostly, elsewhere',
      { after: differing(0, 201), at: THERE },
      'assumed',
      'where another machine may make some of them differ',
    ],
    [
      'is taken as loaded',
      { after: SAME, gate: { distinct: ['tuned'] } },
      'assumed',
      'the gate takes it as another model: nothing shows it',
    ],
  ])('that %s passes, and the list says so', (_, plan, state, how) => {
    const { outcome, said, headline } = decided(plan)
    expect(outcome, headline).toBe('PASS')
    expect(said!.state).toBe(state)
    expect(said!.how).toContain(how)
  })

  test('that lost what its base has fails, whatever its words', () => {
    expect(decided({ after: SAME, lost: 60 }).outcome).toBe('FAIL')
  })
})

test('of a base here and a fine-tune behind an address the words tell too', () => {
  const { before, after } = statesOf({ after: SAME })
  const here = ({ served: _, ...run }: ComparedRun): ComparedRun => run
  const gate = defaultGate()
  expect(doubtOf({ before: here(before), after }, gate)).toContain('to the letter')
  expect(doubtOf({ before: here(before), after: here(after) }, gate)).toBeUndefined()
})

test('a base that varies is taken for another model in at most 5 % of draws, and a fine-tune is told apart', () => {
  const random = randomStream(20261202, 'another-model')
  const draws = 400
  const words = (rate: number): Texts => SAME.map(() => Number(random.uniform() < rate))
  const share = (after: number) => {
    const told = Array.from({ length: draws }, () =>
      doubtOf(statesOf({ after: words(after), again: words(0.1) }), defaultGate()),
    ).filter((doubt) => doubt === undefined)
    return told.length / draws
  }
  expect(share(0.1)).toBeLessThanOrEqual(0.05 + 2 * Math.sqrt((0.05 * 0.95) / draws))
  expect(share(0.2)).toBeGreaterThan(0.9)
})
