/** @file The long form of `test/unit/audit/kill.test.ts`: 200 kills, of which one at every kind of point that a run passes. */
import { expect, test } from 'vitest'
import { killAndCompare, killAtRandom, undisturbed } from '../doubles/runs/kill-campaign.ts'
import { makeKillBench } from '../doubles/runs/kill-runs.ts'

const KILLS = 200

test.runIf(process.env['TOUCHSTONE_LONG'])(
  `survives ${KILLS} kills`,
  { timeout: 60_000 + 15_000 * KILLS },
  async () => {
    const bench = await makeKillBench()
    const whole = await undisturbed(bench)
    const kinds = [...new Map(whole.points.map((point) => [point.replace(/ #\d+$/, ''), point]))]
    let atPoints = 0
    for (const [, point] of kinds) atPoints += await killAndCompare(bench, whole, [{ point }])
    expect(atPoints).toBe(kinds.length)
    const atRandom = await killAtRandom(bench, whole, KILLS - atPoints, 1)
    process.stdout.write(
      `${atPoints + atRandom} kills (${atPoints} at named points, ${atRandom} at random): every run resumed to the same bits\n`,
    )
  },
)
