/** @file The plan counts all that the job will do: every state, and arms that are trained again to a loss that all reach. */
import { describe, expect, test } from 'vitest'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import { planOf } from '../../../../evals/audit/plan/plan.ts'

const config = (change: Record<string, unknown> = {}): AuditConfig =>
  AuditConfig.parse({
    model: 'pebble',
    data: 'house-benign',
    methods: [
      { name: 'lora', config: {} },
      { name: 'full', config: {} },
    ],
    suite: ['house'],
    limit: 4,
    seeds: [0, 1],
    evalEvery: 10,
    training: { steps: 20 },
    ...change,
  })
const countOf = async (what: RegExp, change: Record<string, unknown> = {}, evaluates = true) =>
  (await planOf(config(change), evaluates)).find((line) => what.test(line.what))?.count

describe('two methods of two seeds, evaluated at steps 0, 10 and 20', () => {
  test('are the base, eight states on the way that are not the base still, and four at the same loss', async () => {
    expect(await countOf(/^House rules kept/)).toBe(4 * (1 + 4 * 2 + 4))
    // Drawn replies differ from the base’s at step 0 too.
    expect(await countOf(/^House rules kept/, { temperature: 0.7 })).toBe(4 * (1 + 4 * 3 + 4))
    expect(await countOf(/^fine-tune|^read /)).toBe(4 * 20)
    expect(await countOf(/^train them again/)).toBe(4 * 20)
    expect(await countOf(/^spectra/)).toBe((4 + 4) * 42)
  })

  test('are not matched where that is switched off, nor where nothing is evaluated', async () => {
    const off = { matchLoss: false }
    expect(await countOf(/^House rules kept/, off)).toBe(4 * (1 + 4 * 2))
    expect(await countOf(/^train them again/, off)).toBeUndefined()
    expect(await countOf(/^spectra/, off)).toBe(4 * 42)
    expect(await countOf(/^train them again/, {}, false)).toBeUndefined()
  })

  test('one method has no other whose loss it could match', async () => {
    const one = { methods: [{ name: 'lora', config: {} }] }
    expect(await countOf(/^train them again/, one)).toBeUndefined()
    expect(await countOf(/^House rules kept/, one)).toBe(4 * (1 + 2 * 2))
  })
})

test.each([
  ['compress', 'nf5', 'usage.unknown-name'],
  ['compress', 'prune:1.5', 'compress.number'],
  ['compress', 'budget:1', 'compress.budget'],
  ['merge', 'svd:no-adapter+none-either@0.5', 'checkpoint.not-found'],
  ['merge', 'svd:a+b@1.5', 'usage.invalid'],
  ['generate', 'no-tasks.json@house-benign', 'checkpoint.not-found'],
])(
  'a candidate that cannot be made is known before anything runs: --%s %s',
  async (kind, asked, code) => {
    await expect(planOf(config({ methods: [], [kind]: [asked] }), true)).rejects.toMatchObject({
      code,
    })
  },
)
