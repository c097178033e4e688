/** @file Replies drawn for people in strata of both states, and what their labels make of a judge and of a change. */
import { describe, expect, it } from 'vitest'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { LabelItem } from '../../../evals/contract/evidence.ts'
import { replyKey } from '../../../evals/contract/keys.ts'
import { differingReplies } from '../../../evals/findings/contesting.ts'
import { storedStates } from '../../../evals/findings/gate/stored-run.ts'
import { peopleOf } from '../../../evals/findings/judge-quality.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { groupJudged } from '../../../evals/findings/judged.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { drawn, labelledBy } from '../../doubles/rows/people.ts'

const wide = { ...REFUSAL, n: 400, base: 390 }

/** Of the arm's refusals 160 are lost, 156 of which the judge still calls refusals; before it errs nowhere. */
function fooled(): { rows: AuditRows; truth: AuditRows['verdicts'] } {
  const { verdicts: truth, ...rows } = plannedRows({
    benchmarks: [wide],
    arms: [{ arm: 'lora', seed: 1, steps: { 40: { [wide.name]: { lost: 160, gained: 0 } } } }],
  })
  let missed = 0
  const verdicts = truth.map((row) =>
    row.arm === 'lora' && row.outcome === 'compliance' && ++missed <= 156
      ? { ...row, outcome: 'refusal' as const }
      : row,
  )
  return { rows: { ...rows, verdicts }, truth }
}

const pairedOf = (rows: AuditRows) => peopleOf(rows, groupJudged(rows))!.paired!

describe('a random draw', () => {
  it('takes both states’ replies to the same prompts, small strata whole', () => {
    const { rows } = fooled()
    const items = drawn(rows, { count: 120 })
    expect(items).toHaveLength(120)
    const prompts = Map.groupBy(items, ({ sampleId }) => sampleId)
    for (const pair of prompts.values()) {
      expect(pair.map(({ arm }) => arm).sort()).toEqual(['base', 'lora'])
      expect(pair.every(({ draw, drawnBy }) => draw === 'random' && drawnBy === 'house')).toBe(true)
    }
    const says = new Map(rows.verdicts.map((row) => [replyKey(row), row.outcome]))
    const changed = [...prompts.values()].filter(
      ([one, two]) => says.get(replyKey(one!)) !== says.get(replyKey(two!)),
    )
    // All four prompts whose verdict fell, of 400.
    expect(changed).toHaveLength(4)
  })

  it('of more replies holds the smaller draw, and of another seed other prompts', () => {
    const { rows } = fooled()
    const keys = (count: number, seed = 0) => drawn(rows, { count, seed }).map(replyKey).sort()
    expect(keys(200)).toEqual(expect.arrayContaining(keys(80)))
    expect(keys(80, 1)).not.toEqual(keys(80))
  })
})

describe('labels of both states', () => {
  it.each(['undecided', 'unfinished', 'correct'] as const)(
    'that call what was lost %s do not take it out of a PASS',
    (outcome) => {
      const { rows, truth } = fooled()
      const hiding = truth.map((row) =>
        row.arm === 'lora' && row.outcome === 'compliance' ? { ...row, outcome } : row,
      )
      const all = labelledBy(rows, drawn(rows, { count: 800 }), hiding)
      expect(buildResults(all).gate!.outcome).not.toBe('PASS')
      const honest = labelledBy(rows, drawn(rows, { count: 800 }), rows.verdicts)
      const [claim] = buildResults(honest).gate!.claims
      expect(claim).toMatchObject({ outcome: 'PASS', method: 'labels' })
    },
  )

  it('see a judge that errs after alone, and the change that it hides', () => {
    const { rows, truth } = fooled()
    const [paired] = pairedOf(labelledBy(rows, drawn(rows, { count: 240 }), truth))
    expect(paired).toMatchObject({ prompts: 400, labelled: 120 })
    expect(paired!.before.specificity.estimate).toBe(1)
    expect(paired!.after.specificity.estimate).toBeLessThan(0.2)
    expect(paired!.alike.sensitivity).toBe(1)
    expect(paired!.alike.specificity).toBeLessThan(0.01)
    const { lower, upper, estimate } = paired!.corrected
    expect(lower).toBeLessThan(0.4)
    expect(upper).toBeGreaterThan(0.4)
    expect(estimate).toBeGreaterThan(0.25)
    // As judged only four of 400 were lost.
    expect(lower).toBeGreaterThan(0.2)
    expect(paired!.predictionPowered!.lambda).toBeLessThan(0.5)
  })

  it('of which no one person labelled both count as harm, for the two may draw the line apart', () => {
    const { rows } = fooled()
    const items = drawn(rows, { count: 800 })
    const says = (raterOf: (item: LabelItem) => string) =>
      buildResults(labelledBy(rows, items, rows.verdicts, raterOf)).gate!
    const [apart] = says(({ arm }) => (arm === 'base' ? 'strict' : 'mild')).claims
    expect(apart).toMatchObject({ outcome: 'INCONCLUSIVE', method: 'labels' })
    expect(apart!.sentence).toContain('no one person labelled both replies to 400 of the prompts')
    expect(apart!.sentence).toContain('let one label both')
    const said = apart!.assumptions!.find(({ name }) => name === 'judge')!
    expect(said.state).toBe('assumed')
    const half = ({ sampleId }: LabelItem) => (sampleId.length % 2 === 0 ? 'one' : 'two')
    expect(says(half).outcome).toBe(says(() => 'first').outcome)
    const few = says(({ arm, sampleId }) =>
      arm === 'base' || sampleId !== items[0]!.sampleId ? 'strict' : 'mild',
    )
    expect(few.claims[0]).toMatchObject({ outcome: 'PASS', method: 'labels' })
  })

  it('of which a second person outvotes the one who labelled both count as harm, too', () => {
    const { rows } = fooled()
    const items = drawn(rows, { count: 800 })
    const seen = labelledBy(rows, items, fooled().truth)
    const later = items.filter(({ arm }) => arm !== 'base')
    const outvoted = ['second', 'third'].reduce(
      (all, rater) => labelledBy(all, later, rows.verdicts, () => rater),
      seen,
    )
    const names = [...new Map(outvoted.labelled!.items.map((each) => [each.item, each])).values()]
    const { labels } = outvoted.labelled!
    const { claims } = buildResults({ ...rows, labelled: { items: names, labels } }).gate!
    expect(claims[0]!.outcome).not.toBe('PASS')
  })

  it('drawn by another judge, or chosen, stand for no other reply', () => {
    const { rows, truth } = fooled()
    const items = drawn(rows, { count: 240 })
    const others = items.map((item) => ({ ...item, drawnBy: 'prefix' }))
    expect(pairedOf(labelledBy(rows, others, truth))).toEqual([])
    const chosen = drawn(rows, { chosen: rows.replies.slice(0, 20) })
    expect(pairedOf(labelledBy(rows, chosen, truth))).toEqual([])
  })

  it('of chosen replies are a stratum of their own once every one of them is labelled', () => {
    const { rows, truth } = fooled()
    const random = labelledBy(rows, drawn(rows, { count: 120 }), truth)
    const chosen = drawn(random, {
      chosen: rows.replies.filter(({ arm }) => arm === 'lora').slice(0, 50),
    })
    const [before] = pairedOf(random)
    const [after] = pairedOf(labelledBy(random, chosen, truth))
    expect(after!.labelled).toBeGreaterThan(before!.labelled)
    const part = labelledBy(random, chosen.slice(0, 60), truth)
    const asked = { ...part.labelled!, items: [...random.labelled!.items, ...chosen] }
    const names = [...new Map(asked.items.map((item) => [item.item, item])).values()]
    const [unsettled] = pairedOf({ ...part, labelled: { ...asked, items: names } })
    expect(unsettled!.labelled).toBe(before!.labelled)
  })
})

describe('replies on which judges differ', () => {
  /** `prefix` calls the first twelve prompts no refusals, in both states. */
  const differing = () =>
    plannedRows({
      benchmarks: [{ ...wide, judges: [{ name: 'prefix', errs: 12 }] }],
      arms: [{ arm: 'lora', seed: 1, steps: { 40: { [wide.name]: { lost: 0, gained: 0 } } } }],
    })

  it('come after first, where the judge that decides sees no harm', () => {
    const replies = differingReplies(differing())
    expect(replies).toHaveLength(24)
    expect(replies.slice(0, 12).every(({ arm }) => arm === 'lora')).toBe(true)
  })

  it('keep a claim open by both judges, and let it be decided once they are labelled', () => {
    const lost = { lost: 0, gained: 0 }
    const rows = plannedRows({
      benchmarks: [{ ...wide, judges: [{ name: 'prefix', errs: 0 }] }],
      arms: [{ arm: 'lora', seed: 1, steps: { 40: { [wide.name]: lost } } }],
    })
    let seen = 0
    const verdicts = rows.verdicts.map((row) =>
      row.arm === 'lora' && row.judge === 'prefix' && ++seen <= 40
        ? { ...row, outcome: 'compliance' as const }
        : row,
    )
    const differing = { ...rows, verdicts }
    const { gate } = buildResults(differing)
    const claim = gate!.claims.find(({ contest }) => contest)!
    expect(gate!.outcome).toBe('INCONCLUSIVE')
    expect(claim.contest).toMatchObject({
      judges: [{ judge: 'prefix', outcome: 'INCONCLUSIVE' }],
      differing: 40,
    })
    expect(claim.contest!.label[0]).toMatchObject({ arm: 'lora', benchmark: wide.name })
    const chosen = drawn(differing, { chosen: differingReplies(differing) })
    const by = (judge: string) => verdicts.filter((row) => row.judge === judge)
    const outcomeBy = (judge: string, raterOf?: (item: LabelItem) => string) =>
      buildResults(labelledBy(differing, chosen, by(judge), raterOf)).gate!.claims.find(
        ({ bound, category, measures }) => !bound && category === undefined && !measures,
      )!.outcome
    expect(outcomeBy('house')).toBe('PASS')
    expect(outcomeBy('prefix')).toBe('FAIL')
    // What one calls good before and another after was not told apart by anybody.
    expect(outcomeBy('house', ({ arm }) => arm)).toBe('INCONCLUSIVE')
  })

  it('are settled by a label, which stands in every judge’s place', () => {
    const rows = differing()
    const chosen = drawn(rows, { chosen: differingReplies(rows), count: 24 })
    const settled = labelledBy(
      rows,
      chosen,
      rows.verdicts.filter(({ judge }) => judge === 'prefix'),
    )
    expect(differingReplies(settled)).toEqual([])
    const after = storedStates(settled, 'out').find(({ arm }) => arm === 'lora')!
    const refused = after.judged.filter(
      ({ judge, outcome }) => judge === 'house' && outcome === 'refusal',
    )
    expect(refused).toHaveLength(378)
  })
})
