/** @file A log passes beside another where enough replies differ, or none are at hand; a log beside a copy of itself does not. */
import { describe, expect, test } from 'vitest'
import type { GateRule } from '../../../../../evals/contract/gate/rule.ts'
import { keyOf } from '../../../../../evals/contract/keys.ts'
import type { ComparedRun, Wording } from '../../../../../evals/findings/gate/compared-run.ts'
import { decide, defaultGate } from '../../../../../evals/findings/gate/decide.ts'
import { confirmed, planted, plannedRun } from '../../../../doubles/rows/compared-runs.ts'

const N = 400

interface Planned {
  /** How many of the fine-tune's first replies are its own. */
  readonly differ: number
  /** How many replies each side holds. */
  readonly held?: number
  readonly of?: readonly [Wording['of'], Wording['of']]
  readonly formats?: readonly [string, string]
  readonly lost?: number
  readonly gate?: Partial<GateRule>
}

function logOf(arm: string, format: string, lost: number, told: ReadonlyMap<string, Wording>) {
  const rates = { b: { role: 'capability', counts: planted(N, N, lost) } } as const
  const { judged, ...rest } = confirmed(plannedRun({ arm, rates }))
  return {
    ...{ ...rest, format, origin: `${arm}.log` },
    judged: judged.map((row) => ({ ...row, cluster: row.sampleId })),
    wordings: () => told,
  } satisfies ComparedRun
}

const toldBy = (of: Wording['of'], digestOf: (i: number) => string, held: number) =>
  new Map(
    Array.from({ length: held }, (_, i): [string, Wording] => [
      keyOf('b', `b-${i}`, 0),
      { of, digest: digestOf(i) },
    ]),
  )

function decided(plan: Planned) {
  const { differ, held = N, of = ['reply', 'reply'], formats = ['lm-eval', 'lm-eval'] } = plan
  const before = logOf(
    'base',
    formats[0],
    0,
    toldBy(of[0], (i) => `${i}`, held),
  )
  const own = toldBy(of[1], (i) => `${i}${i < differ ? ' of its own' : ''}`, held)
  const after = logOf('tuned', formats[1], plan.lost ?? 0, own)
  const pair = { against: [{ before, after }], steps: [], judges: new Map([['b', 'house']]) }
  const found = decide({ ...defaultGate(0.05), ...plan.gate }, pair)
  return { ...found, said: found.assumptions!.find(({ name }) => name === 'another-model') }
}

describe('a log', () => {
  test.each<[string, Planned, string]>([
    ['that says what the other says', { differ: 0 }, 'its 400 replies are the base’s, spaces'],
    ['with four other replies', { differ: 4 }, '4 of its 400 replies differ from the base’s'],
    [
      'with six other replies, at a smaller α',
      { differ: 6, gate: { alpha: 0.01 } },
      '6 of its 400 replies',
    ],
    ['with one reply, the same', { differ: 0, held: 1 }, 'its 1 reply are'],
    [
      'with the same scores',
      { differ: 0, of: ['scores', 'scores'] },
      'its 400 scores are the base’s.',
    ],
    [
      'beside a run that says the same',
      { differ: 0, formats: ['touchstone', 'inspect'] },
      'are the base’s',
    ],
    [
      'that the gate takes by another name',
      { differ: 0, gate: { distinct: ['base'] } },
      'are the base’s',
    ],
  ])('%s is undecided', (_, plan, says) => {
    const { outcome, claims, said } = decided(plan)
    expect(outcome).toBe('INCONCLUSIVE')
    expect(claims.map((claim) => claim.outcome)).not.toContain('PASS')
    expect(claims[0]!.sentence).toContain(
      'nothing shows that tuned of tuned.log is another model than base of base.log: ',
    )
    expect(claims[0]!.sentence).toContain(says)
    expect(claims[0]!.sentence).toContain('distinct: ["tuned"]')
    expect(said).toMatchObject({ state: 'assumed' })
    expect(said!.how).toContain('nothing shows that it is another model than its base')
  })

  test.each<[string, Planned, string]>([
    [
      'with five other replies',
      { differ: 5 },
      'tuned: 5 of its 400 replies differ from the base’s; how far the base’s own differ when it is asked again is not known, nor whether any of the 395 that are the same was copied from the base’s log',
    ],
    ['with replies of its own alone', { differ: N }, 'when it is asked again is not known'],
    [
      'that the gate takes as another model',
      { differ: 0, gate: { distinct: ['tuned'] } },
      'the gate takes it as another model: nothing shows it',
    ],
    [
      'without replies',
      { differ: 0, held: 0 },
      'tuned: no replies of both are at hand; nothing shows that it is another model than its base',
    ],
    [
      'whose scores are beside replies',
      { differ: 0, of: ['reply', 'scores'] },
      'no replies of both',
    ],
  ])('%s passes, and the list says what of it is not checked', (_, plan, how) => {
    const { outcome, said, headline } = decided(plan)
    expect(outcome, headline).toBe('PASS')
    expect(said).toMatchObject({ state: 'assumed', how: expect.stringContaining(how) as string })
  })

  test('that lost what its base has fails, whatever its words', () => {
    expect(decided({ differ: 0, lost: 60 }).outcome).toBe('FAIL')
  })

  test('of our own runs alone, nothing is said', () => {
    const { outcome, said } = decided({ differ: 0, formats: ['touchstone', 'touchstone'] })
    expect([outcome, said]).toEqual(['PASS', undefined])
  })
})

test('replies to one prompt are the same in any order, and each counts once', () => {
  const told = (digests: readonly string[]) =>
    new Map(
      digests.map((digest, i): [string, Wording] => [
        keyOf('b', 'b-0', i),
        { of: 'reply', digest },
      ]),
    )
  const how = (one: readonly string[], two: readonly string[]) => {
    const before = logOf('base', 'garak', 0, told(one))
    const after = logOf('tuned', 'garak', 0, told(two))
    const pair = { against: [{ before, after }], steps: [], judges: new Map([['b', 'house']]) }
    return decide(defaultGate(0.05), pair).assumptions!.find(
      ({ name }) => name === 'another-model',
    )!.how
  }
  expect(how(['x', 'y', 'x'], ['y', 'x', 'x'])).toContain('its 3 replies are the base’s')
  expect(how(['x', 'y', 'y'], ['x', 'x', 'x'])).toContain('2 of its 3 replies differ')
  expect(how(['x'], ['y', 'x'])).toContain('its 1 reply are')
})
