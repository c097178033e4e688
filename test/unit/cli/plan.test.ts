/** @file `touchstone plan`: its numbers are those of the tests that the gate and `compare` use, and the fewest that do. */
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import {
  planClusters,
  type ClusterPlan,
  type SamplePlan,
} from '../../../evals/findings/gate/plan.ts'
import { floorPower } from '../../../evals/statistics/level.ts'
import { clustersNeeded } from '../../../evals/statistics/paired/cluster-plan.ts'
import { clusterPower } from '../../../evals/statistics/paired/cluster-power.ts'
import { marginTests } from '../../../evals/statistics/paired/non-inferiority.ts'
import { mcNemarExact } from '../../../evals/statistics/paired/paired.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { trinomial } from '../../doubles/statistics/trinomial.ts'

const plan = (text: string) => runCommand(['plan', ...text.split(' ')], {}, COMMANDS)

interface Found extends SamplePlan {
  readonly question: Readonly<Record<string, number>>
}
const found = async (text: string) => JSON.parse((await plan(`${text} --json`)).stdout) as Found

/** P[the test decides], every outcome with its probability, by the test itself. */
const power = (
  n: number,
  decides: (b: number, c: number) => boolean,
  lost: number,
  gained: number,
) => trinomial(n).probability(decides, { lost, gained })

describe('the number of prompts', () => {
  const question = '--delta 0.2 --power 0.8 --discordance 0.1 --base-rate 0.9'

  test('to rule out the harm has the power of the gate’s own test, and one prompt fewer has not', async () => {
    const { ruleOut } = await found(question)
    expect(ruleOut.map(({ seeds }) => seeds)).toEqual([1, 3, 5])
    for (const { seeds, prompts, power: reached } of ruleOut) {
      const at = (n: number) =>
        power(n, (lost, gained) => marginTests({ lost, gained, n }, 0.2)!.below <= 0.05, 0.05, 0.05)
      const wanted = 1 - 0.2 / seeds
      expect(reached).toBeCloseTo(at(prompts!), 6)
      expect(reached).toBeGreaterThanOrEqual(wanted)
      expect(at(prompts! - 1)).toBeLessThan(wanted)
    }
  })

  test('to pass and to fail has both powers of the gate’s own test, and one prompt fewer lacks one', async () => {
    const { both, ruleOut } = await found('--delta 0.2 --discordance 0.02 --base-rate 0.9')
    const decides = (n: number, p: 'below' | 'above', lost: number) =>
      power(n, (b, c) => marginTests({ lost: b, gained: c, n }, 0.2)![p] <= 0.05, lost, 0.01)
    expect(both.harm).toBeCloseTo(0.6, 12)
    expect(both.passes).toBeCloseTo(decides(both.prompts!, 'below', 0.01), 6)
    expect(both.fails).toBeCloseTo(decides(both.prompts!, 'above', 0.61), 6)
    expect(both.passes).toBeGreaterThanOrEqual(0.8)
    expect(both.fails).toBeGreaterThanOrEqual(0.9)
    expect(both.prompts).toBeGreaterThanOrEqual(ruleOut[0]!.prompts!)
    const fewer = both.prompts! - 1
    const [passes, fails] = [decides(fewer, 'below', 0.01), decides(fewer, 'above', 0.61)]
    expect(passes >= 0.8 && fails >= 0.9).toBe(false)
  })

  test('to fail one of more claims is larger, and a harm that cannot be has none', async () => {
    const of = async (text: string) => (await found(text)).both.prompts
    const alone = await of('--delta 0.05 --discordance 0')
    expect(await of('--delta 0.05 --discordance 0 --claims 12')).toBeGreaterThan(alone!)
    const { stdout } = await plan('--delta 0.05 --discordance 0 --claims 12')
    expect(stdout).toContain('in at least 90 % of runs (one of 12 claims): ')
    expect(await of('--delta 0.9 --base-rate 0.9 --discordance 0')).toBeNull()
  })

  test('to notice the harm has the power of the exact McNemar test, and one prompt fewer has not', async () => {
    const { notice } = await found(question)
    const at = (n: number) => power(n, (b, c) => mcNemarExact(b, c) <= 0.05, 0.25, 0.05)
    expect(notice.power).toBeCloseTo(at(notice.prompts!), 9)
    expect(notice.power).toBeGreaterThanOrEqual(0.8)
    expect(at(notice.prompts! - 1)).toBeLessThan(0.8)
  })

  test('grows as the margin falls, as power rises and as α falls', async () => {
    const of = async (text: string) => (await found(text)).ruleOut[0]!.prompts!
    const usual = await of('--delta 0.2')
    expect(await of('--delta 0.17')).toBeGreaterThan(usual)
    expect(await of('--delta 0.2 --power 0.95')).toBeGreaterThan(usual)
    expect(await of('--delta 0.2 --alpha 0.01')).toBeGreaterThan(usual)
  })

  test('with nothing changing by itself is the fewest whose silence is proof', async () => {
    const { ruleOut } = await found('--delta 0.1 --discordance 0')
    const passes = (n: number) => marginTests({ lost: 0, gained: 0, n }, 0.1)!.below <= 0.05
    const fewest = Array.from({ length: 200 }, (_, i) => i + 1).find(passes)
    // At least as many as make (1 − δ)ⁿ ≤ α, the probability that nothing is lost at the margin.
    expect(fewest).toBeGreaterThanOrEqual(Math.ceil(Math.log(0.05) / Math.log(0.9)))
    expect(ruleOut.map(({ prompts, power: reached }) => [prompts, reached])).toEqual(
      Array(3).fill([fewest, 1]),
    )
  })
})

test.each([
  [0.8, 0.05],
  [0.9, 0.05],
  [0.5, 0.25],
  [0.95, 0.01],
])('seeds for a reliability of %d at α = %d are the fewest with rᵏ ≤ α', async (r, alpha) => {
  const { seeds } = await found(`--delta 0.4 --reliability ${r} --discordance 0 --alpha ${alpha}`)
  expect(r ** seeds).toBeLessThanOrEqual(alpha + 1e-12)
  expect(r ** (seeds - 1)).toBeGreaterThan(alpha)
})

describe('a floor', () => {
  test('is shown with the power that was asked for, by no fewer prompts', async () => {
    const { floor } = await found('--delta 0.05 --floor 0.9 --base-rate 0.97')
    expect(floor.power!).toBeGreaterThanOrEqual(0.8)
    expect(floorPower(floor.prompts! - 1, 0.97, 0.9, 0.05)).toBeLessThan(0.8)
    // The fewest with 0.9ⁿ ≤ α.
    expect([
      0.9 ** floor.withoutFailure <= 0.05,
      0.9 ** (floor.withoutFailure - 1) <= 0.05,
    ]).toEqual([true, false])
  })

  test('that the rate does not reach cannot be shown, and that is said', async () => {
    const question = '--delta 0.05 --floor 0.97 --base-rate 0.95'
    expect((await found(question)).floor.prompts).toBeNull()
    expect((await plan(question)).stdout).toContain('a rate of 95.0 % is not above it')
  })
})

test('in words, it says the numbers of its JSON and what was taken for granted', async () => {
  const { code, stdout, stderr } = await plan('--delta 0.3')
  const { ruleOut, notice, seeds, question } = await found('--delta 0.3')
  expect([code, stderr]).toEqual([0, ''])
  expect(question).toMatchObject({ delta: 0.3, power: 0.8, alpha: 0.05, baseRate: 0.95 })
  for (const { prompts } of ruleOut) expect(stdout).toContain(` ${prompts} prompts (power `)
  expect(stdout).toContain(`two-sided): ${notice.prompts} prompts`)
  expect(stdout).toContain(`would pass: ${seeds} seeds`)
  expect(stdout).toContain('95.0 % before, and 5.0 % of answers')
})

test('a variable asks as a flag does', async () => {
  const ran = await runCommand(['plan', '--json'], { TOUCHSTONE_DELTA: '0.3' }, COMMANDS)
  expect(JSON.parse(ran.stdout)).toEqual(await found('--delta 0.3'))
})

describe('what cannot be planned', () => {
  test.each([
    ['', '--delta'],
    ['--delta 0', '--delta'],
    ['--delta -0.1', '--delta'],
    ['--delta 3', '--delta'],
    ['--delta NaN', '--delta'],
    ['--delta 1e-9', '--delta'],
    ['--delta three', '--delta'],
    ['--delta 0.1 --power 1', '--power'],
    ['--delta 0.1 --alpha 0', '--alpha'],
    ['--delta 0.1 --base-rate 1', '--base-rate'],
    ['--delta 0.1 --discordance 0.5', 'nothing to plan'],
    ['--delta 0.3 --base-rate 0.2', 'cannot fall by 0.3'],
    ['--delta 0.1 --detla 0.2', '--detla'],
  ])('%s is a wrong command', async (text, said) => {
    const argv = ['plan', ...text.split(' ').filter(Boolean)]
    const ran = await runCommand(argv, {}, COMMANDS)
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(said)
  })
})

describe('clusters', () => {
  const question = '--delta 0.1 --discordance 0.06'
  const clustersOf = async (text: string) =>
    ((await found(`${question} ${text}`)) as Found & { clusters: ClusterPlan }).clusters

  test('of alike prompts are worth one prompt each, of independent ones all of them', async () => {
    const { both } = await found(question)
    const { perCluster, clusters } = await clustersOf('--icc 0 --per-cluster 1')
    expect(perCluster).toBe(1)
    expect(clusters).toBe(both.prompts)
    const alike = await clustersOf('--icc 1 --per-cluster 7')
    expect(alike.clusters!).toBeGreaterThanOrEqual(clusters!)
    expect(alike.clusters!).toBeLessThan(1.1 * clusters!)
  })

  test('take more prompts with a higher ICC, and none is enough where they are too few', async () => {
    const [low, high] = [0.05, 0.4].map((icc) => clustersOf(`--icc ${icc} --clusters 40`))
    expect((await high!).perCluster!).toBeGreaterThan((await low!).perCluster!)
    expect((await clustersOf('--icc 0.05 --clusters 20')).perCluster).toBeNull()
    expect((await plan(`${question} --icc 0.05 --clusters 20`)).stdout).toMatch(
      /20 clusters are too few.*at least 30/,
    )
  })

  test('are as many as drawn fine-tunes need, where the formula says too few', () => {
    const asked = { delta: 0.05, power: 0.8, alpha: 0.05, baseRate: 0.99, discordance: 0.02 }
    const { clusters, perCluster, passes, fails } = planClusters(
      { ...asked, claims: 1, icc: 0.3, clusters: null, perCluster: 4 },
      117,
    )!
    const formula = clustersNeeded(4, { prompts: 117, icc: 0.3, margin: 0.05, alpha: 0.05 })!
    expect([perCluster, clusters! > formula, clusters! < 1.2 * formula]).toEqual([4, true, true])
    expect(passes!).toBeGreaterThan(0.8)
    expect(fails!).toBeGreaterThan(0.9)
    const ofHarm = (lost: number) =>
      clusterPower(
        { clusters: clusters! + 1, size: 4, icc: 0.3 },
        { lost, gained: 0.01 },
        { margin: 0.05, below: 0.05, above: 0.05, draws: 400 },
      )
    // Other draws than those by which the number was found.
    expect(ofHarm(0.01).below).toBeGreaterThan(0.8)
    expect(ofHarm(0.16).above).toBeGreaterThan(0.9)
  })

  test('need an ICC and one of their sizes', async () => {
    for (const text of ['--icc 0.1', '--clusters 40', '--icc 0.1 --clusters 40 --per-cluster 5']) {
      expect((await plan(`${question} ${text}`)).code).toBe(2)
    }
  })
})
