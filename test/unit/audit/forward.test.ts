/** @file `--forward int8` on Pebble: it learns as the exact forward does, to the same bits twice, and every place says that it is approximate. */
import { beforeEach, describe, expect, test } from 'vitest'
import { AuditConfig } from '../../../evals/audit/config.ts'
import { planOf } from '../../../evals/audit/plan/plan.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { APPROXIMATE, approximationOf } from '../../../evals/contract/approximate.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { renderMarkdown } from '../../../evals/document/markdown.ts'
import { sumsExactly } from '../../../evals/runtime/int8-sums.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { IS_LONG } from '../../doubles/tier.ts'

const MODEL = ['--model', 'pebble', '--data', 'house-benign', '--methods', 'lora', '--threads', '2']
const INT8 = ['--base-precision', 'int8', '--forward', 'int8']
const STEPS = 40

interface Said {
  readonly type: string
  readonly message?: string
  readonly config?: unknown
  readonly digest?: string
  readonly row?: {
    readonly name?: string
    readonly value?: number
    readonly role?: string
    readonly digest?: string
  }
}

async function trained(...words: string[]) {
  const how = ['--steps', String(STEPS), '--learning-rate', '2e-3', '--out-dir', freshFolder()]
  const { code, stdout, stderr } = await runCommand(
    ['train', ...MODEL, ...how, ...words, '--json'],
    {},
    COMMANDS,
  )
  expect(code, stderr).toBe(0)
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Said)
  const losses = said.flatMap(({ row }) => (row?.name === 'train/loss' ? [row.value!] : []))
  const weights = said.flatMap(({ row }) => (row?.role?.startsWith('weights') ? [row.digest!] : []))
  return { said, losses, weights }
}

const meanOf = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length

describe('LoRA on Pebble', () => {
  beforeEach(async ({ skip }) => {
    if (!(await sumsExactly()))
      skip('this processor cuts sums of int8 off, and the flag is refused')
  })

  test('learns as with the exact forward, says that it is approximate, and ends in the same bits twice', async () => {
    const exact = await trained('--base-precision', 'int8')
    const ours = await trained(...INT8)
    const again = IS_LONG ? await trained(...INT8) : ours
    expect(ours.losses).toHaveLength(STEPS)
    const [before, after] = [ours, exact].map(({ losses }) => meanOf(losses.slice(-10)))
    expect(after).toBeLessThan(0.8 * meanOf(exact.losses.slice(0, 5)))
    expect(Math.abs(before! - after!)).toBeLessThan(0.03 * after!)
    expect(ours.losses).not.toEqual(exact.losses)
    expect(again.losses).toEqual(ours.losses)
    expect([again.weights, ours.weights.length]).toEqual([ours.weights, 1])
    expect(ours.weights).not.toEqual(exact.weights)
    expect(ours.said).toContainEqual(
      expect.objectContaining({ type: 'log', level: 'warn', message: APPROXIMATE }),
    )
    expect(ours.said.find(({ type }) => type === 'job-start')!.config).toMatchObject({
      forward: 'int8',
    })
    expect(exact.said.filter(({ message }) => message?.includes('approximate'))).toEqual([])
  })

  test('the plan says it', async () => {
    const { code, stdout } = await runCommand(
      ['train', ...MODEL, ...INT8, '--dry-run'],
      {},
      COMMANDS,
    )
    expect(code).toBe(0)
    expect(stdout).toContain(APPROXIMATE)
  })
})

test.each([
  [['--forward', 'int8'], /kept in fp32/, /--base-precision int8/],
  [['--forward', 'int8', '--base-precision', 'fp16'], /kept in fp16/, /--base-precision int8/],
])(
  '%j is refused in a plan and in a run, before anything is trained',
  async (words, why, remedy) => {
    for (const more of [['--dry-run'], []]) {
      const argv = ['train', ...MODEL, '--out-dir', freshFolder(), ...words, ...more]
      const { code, stdout, stderr } = await runCommand(argv, {}, COMMANDS)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(why)
      expect(stderr).toMatch(remedy)
    }
  },
)

test('an audit that trains nothing is refused it', async () => {
  const config = { model: 'pebble', candidates: [], basePrecision: 'int8', forward: 'int8' }
  await expect(planOf(AuditConfig.parse(config), true)).rejects.toMatchObject({
    code: 'training.approximate-forward',
    message: expect.stringContaining('nothing is trained') as string,
  })
})

test('verbs that train nothing do not have it', async () => {
  for (const verb of ['eval', 'mitigate']) {
    const { code, stderr } = await runCommand(
      [verb, '--model', 'pebble', '--forward', 'int8'],
      {},
      COMMANDS,
    )
    expect([code, stderr]).toEqual([2, expect.stringContaining('--forward')])
  }
})

describe('of a run whose configuration asked for it', () => {
  const rows = plannedAudit()
  const asked = { ...rows, run: { ...rows.run, config: { forward: 'int8', methods: ['lora'] } } }

  test('limits, report and the page for a model card say that training was approximate', () => {
    const results = buildResults(asked)
    expect(results.limits).toContain(APPROXIMATE)
    // Among the limits, and beside what it takes to do it again.
    expect(renderReport(results).match(/Training is approximate/gu)).toHaveLength(2)
    expect(renderMarkdown(results)).toContain('Training is approximate')
  })

  test('others say nothing', () => {
    expect(buildResults(rows).limits.filter((line) => line.includes('approximate ('))).toEqual([])
    for (const config of [
      {},
      null,
      { forward: 'exact', methods: [1] },
      { forward: 'int8', methods: [] },
    ])
      expect(approximationOf(config)).toBeUndefined()
  })
})
