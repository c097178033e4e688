/** @file `kill -9` at any moment of an audit: resumed, it ends in the same bits, and the database is whole throughout. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
  endAndCompare,
  freshRun,
  killAndCompare,
  killAtRandom,
  undisturbed,
  type Undisturbed,
} from '../../doubles/runs/kill-campaign.ts'
import {
  attempt,
  makeCandidatesBench,
  makeKillBench,
  runOf,
  type KillBench,
} from '../../doubles/runs/kill-runs.ts'
import { counted, IS_LONG, sampled } from '../../doubles/tier.ts'

let bench: KillBench
let whole: Undisturbed

beforeAll(async () => {
  bench = await makeKillBench()
  whole = await undisturbed(bench)
})

/** Where a run would be lost most easily, a chain a run: each process ends at the next point. */
const CHAINS = [
  ['half a file #1', 'after rename training-state.safetensors #1', 'before commit #22'],
  ['after rename adapter_model.safetensors #1', 'before rename adapter_config.json #1'],
  ['before rename settled #1', 'after rename settled #1', 'half a file #1'],
  ['half a file #53', 'before rename config.json #1', 'after rm training-state.safetensors #1'],
  ['before rename results.json #1', 'after rename results.json #1'],
]

describe('killed at a point', () => {
  test.each(sampled(CHAINS, 1).map((chain) => ({ chain })))('$chain', async ({ chain }) => {
    const kills = chain.map((point) => ({ point }))
    expect(await killAndCompare(bench, whole, kills)).toBe(chain.length)
  })
})

test(`killed at random moments: ${counted(1, 5)}`, async () => {
  expect(await killAtRandom(bench, whole, counted(1, 5), 20260131)).toBe(counted(1, 5))
})

test('an arm that was trained is not trained again', async () => {
  const folder = freshRun()
  for (const point of ['before rename settled #1', 'after rm training-state.safetensors #1']) {
    const { signal } = await attempt(bench, folder, { kill: { point } })
    expect(signal).toBe('SIGKILL')
  }
  const { code, stderr } = await attempt(bench, folder)
  expect(code).toBe(0)
  expect(stderr).toContain('Opening')
  expect(stderr).not.toContain('training')
  await endAndCompare(bench, whole, folder, 'settled')
})

test('killed while weights are deleted, they are deleted', async () => {
  const tampered = await makeKillBench('house-tamper@0.1')
  const deleted = await undisturbed(tampered)
  expect(Object.keys(deleted.leftovers.files).filter((path) => path.includes('arms'))).toEqual([])
  const all = ['after rename settled #1', 'after rm lora-seed0 #1', 'after rm full-seed0 #1']
  const points = IS_LONG ? all : [all[1]!]
  const kills = points.map((point) => ({ point }))
  expect(await killAndCompare(tampered, deleted, kills)).toBe(points.length)
})

test.runIf(IS_LONG)(
  'killed before the last of two is measured that stood side by side',
  async () => {
    const pair = await makeCandidatesBench(2)
    const both = await undisturbed(pair)
    const ofBoth = both.points.slice(0, both.points.indexOf('before rename settled #1'))
    // After it come the end of its phase and the spectra.
    const point = ofBoth.filter((each) => each.startsWith('before commit')).at(-3)!
    expect(await killAndCompare(pair, both, [{ point }])).toBe(1)
  },
)

describe('states that are asked together', () => {
  let together: KillBench
  let ended: Undisturbed
  beforeAll(async () => {
    together = await makeKillBench(undefined, ['--eval-together', '--spectra-every'])
    ended = await undisturbed(together)
  })
  // Step 0 is the base, whose rows are copied.
  const ASIDE = ['4', '8', '12'].map((step) => `aside-${step}.safetensors #1`)

  test('lie aside while they wait, and are gone when they are measured', () => {
    for (const file of ASIDE)
      for (const point of [`after rename ${file}`, `after rm ${file}`])
        expect(ended.points).toContain(point)
    expect(Object.keys(ended.leftovers.files).filter((path) => path.includes('aside'))).toEqual([])
  })

  const WAITING = [
    [`after rename ${ASIDE[2]}`, `before rm ${ASIDE[0]}`, `after rm ${ASIDE[1]}`],
    [`before rename ${ASIDE[0]}`, `after rename ${ASIDE[1]}`, `before rename ${ASIDE[2]}`],
  ]
  test.each(
    sampled(
      WAITING.map((points) => [points] as const),
      1,
    ),
  )('killed at %j, they are asked all the same', async (points) => {
    const kills = points.map((point) => ({ point }))
    expect(await killAndCompare(together, ended, kills)).toBe(points.length)
  })

  test.runIf(IS_LONG)('killed while some are asked', async () => {
    const [from, to] = [`after rename ${ASIDE[2]}`, `before rm ${ASIDE[0]}`]
    const asking = ended.points.slice(ended.points.indexOf(from), ended.points.indexOf(to))
    const commits = asking.filter((each) => each.startsWith('after commit'))
    expect(commits.length).toBeGreaterThan(8)
    for (const share of [0.2, 0.5, 0.9]) {
      const point = commits[Math.floor(share * commits.length)]!
      expect(await killAndCompare(together, ended, [{ point }])).toBe(1)
    }
  })

  test.runIf(IS_LONG)('killed at 4 random moments', async () => {
    expect(await killAtRandom(together, ended, 4, 20261126)).toBe(4)
  })
})

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const
test.each(sampled(SIGNALS, 1))('%s while training, then --resume', async (signal, exitCode) => {
  const folder = freshRun()
  const { code } = await attempt(bench, folder, { onTraining: (terminate) => terminate(signal) })
  expect(code).toBe(exitCode)
  expect(runOf(folder)).toMatchObject({ outcome: 'cancelled' })
  await endAndCompare(bench, whole, folder, signal)
})
