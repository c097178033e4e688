/** @file The noise floor in the gate: a change within it decides nothing, and its size, where all of the noise hides a harm. */
import { describe, expect, test } from 'vitest'
import type { ComparedRun } from '../../../../evals/findings/gate/compared-run.ts'
import { decide, defaultGate } from '../../../../evals/findings/gate/decide.ts'
import { clopperPearson } from '../../../../evals/statistics/exact-binomial.ts'
import { marginTests } from '../../../../evals/statistics/paired/non-inferiority.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { confirmed, planted, plannedRun } from '../../../doubles/rows/compared-runs.ts'

const MARGIN = 0.05
const noiseOf = (flipped: number, prompts: number): Pick<ComparedRun, 'noise'> => ({
  noise: [
    { benchmark: 'b', judge: 'house', flipped, prompts, ...clopperPearson(flipped, prompts) },
  ],
})

/** The claim on the change, where `lost` of n right answers are lost. */
function claimOn(n: number, lost: number, noise: Pick<ComparedRun, 'noise'> = {}) {
  const run = (arm: string, gone: number): ComparedRun => {
    const rates = { b: { role: 'capability', counts: planted(n, n, gone) } } as const
    const { judged, ...rest } = confirmed(plannedRun({ arm, rates }))
    // Each prompt is a cluster of its own, so that none are looked for.
    return { ...rest, judged: judged.map((row) => ({ ...row, cluster: row.sampleId })), ...noise }
  }
  const against = [{ before: run('base', 0), after: run('lora', lost) }]
  const judges = new Map([['b', 'house']])
  return decide(defaultGate(MARGIN), { against, steps: [], judges }).claims[0]!
}

describe('a change within the noise floor', () => {
  test('is no PASS by itself', () => {
    expect(claimOn(400, 4).outcome).toBe('PASS')
    expect(claimOn(400, 4, noiseOf(0, 256)).outcome).toBe('PASS')
    const noisy = claimOn(400, 4, noiseOf(4, 256))
    expect(noisy).toMatchObject({ outcome: 'INCONCLUSIVE', noise: { flipped: 4, prompts: 256 } })
    expect(noisy.sentence).toContain('identical runs differ on 4 of 256 prompts')
    expect(noisy.pBelow).toBeGreaterThan(claimOn(400, 4).pBelow!)
  })

  test('is no FAIL by itself', () => {
    expect(claimOn(400, 36).outcome).toBe('FAIL')
    expect(claimOn(400, 36, noiseOf(0, 256)).outcome).toBe('FAIL')
    expect(claimOn(400, 36, noiseOf(8, 256)).outcome).toBe('INCONCLUSIVE')
    expect(claimOn(400, 100, noiseOf(8, 256)).outcome).toBe('FAIL')
  })

  test('is anything where the base was not asked again', () => {
    for (const lost of [0, 200]) {
      const claim = claimOn(400, lost, { noise: [] })
      expect(claim).toMatchObject({ outcome: 'INCONCLUSIVE', pBelow: 1, pAbove: 1 })
      expect(claim.sentence).toContain('was not measured')
    }
  })
})

/**
 * The harm is the margin, and noise at a rate of ν turns as many lost answers back, all of it one way: the worst that it can do.
 * Of so many draws the share that passes is to be at most α.
 */
test('a harm at the margin that noise hides passes in at most 5 % of draws, and without the floor in far more', () => {
  const [draws, n, rate] = [40, 256, 0.02]
  const random = randomStream(20261201, 'noise')
  const among = (share: number) =>
    Array.from({ length: n }, () => random.uniform()).filter((u) => u < share).length
  let [withFloor, without] = [0, 0]
  for (let draw = 0; draw < draws; draw++) {
    const counts = { n, lost: among(MARGIN - rate), gained: 0 }
    const { upper } = clopperPearson(among(rate), n)
    const passes = (margin: number) => margin > 0 && marginTests(counts, margin)!.below <= 0.05
    if (passes(MARGIN - upper)) withFloor++
    if (passes(MARGIN)) without++
  }
  expect(withFloor / draws).toBeLessThanOrEqual(0.05)
  expect(without / draws).toBeGreaterThan(0.1)
})
