/** @file The plan counts all that the job will do: every state, and arms that are trained again to a loss that all reach. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import { planOf } from '../../../../evals/audit/plan/plan.ts'
import { rankingSeconds, SCORED_NUMBER } from '../../../../evals/audit/plan/ranking.ts'
import { benignRows } from '../../../../evals/bundled/hotel/fine-tuning.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { trainedSize } from '../../../../evals/finetune/training/trained-size.ts'
import { loadModel } from '../../../../evals/models/load.ts'
import { modelPath } from '../../../../evals/models/model-path.ts'
import { writeAdapter } from '../../../doubles/models/random-adapter.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

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

test('bisection asks for as many states as it may, looks for all prompts at most, and both are said', async () => {
  const one = { methods: [{ name: 'lora', config: {} }], seeds: [0], evalEvery: 1 }
  const bisected = { ...one, bisect: true, sequential: 'pocock', looks: 3 }
  // The last of 21 steps, then half of what is left each time.
  expect(await countOf(/^House rules kept/, bisected)).toBe(4 * (1 + 6))
  const [line] = (await planOf(config(bisected), true)).filter(({ unit }) => unit === 'prompt')
  expect(line!.what).toMatch(
    /× 7 checkpoints; .*; at most, with up to 3 looks.*pocock.*bisection of 21 checkpoints/u,
  )
  const plain = (await planOf(config(one), true)).map(({ what }) => what)
  expect(plain.join('\n')).not.toContain('at most')
})

test('leaving rows out takes what mixing rows in takes, and a gradient of every row at each checkpoint', async () => {
  const task = join(freshFolder(), 'task.jsonl')
  writeFileSync(
    task,
    benignRows({ rows: 2 })
      .map((row) => JSON.stringify(row))
      .join('\n'),
  )
  const remedy = ['mix:values=0.1', 'leave-out:values=0.1:checkpoints=2']
  const one = { methods: [{ name: 'lora', config: {} }], seeds: [0], task, remedy }
  const lines = await planOf(config(one), true)
  const secondsOf = (what: RegExp) => lines.find((line) => what.test(line.what))!.seconds!
  const more = secondsOf(/^Rows left out/) - secondsOf(/^Rows that refuse mixed in/)
  // Each of 2 × 600 gradients costs a step of one row and its scores; the training has 20 steps of 8 rows, of which it goes three quarters.
  const ofTraining = more / secondsOf(/^read /)
  expect(ofTraining).toBeGreaterThan(0.75 + (2 * 600) / (20 * 8))
  expect(ofTraining).toBeLessThan(0.75 + (2 * 600) / 20 + 30)
})

test('a gradient costs tokens where a model is large, and passes and scores where it is small', async () => {
  const { model, open } = await loadModel(modelPath('pebble'))
  const { training, methods } = config({ methods: [{ name: 'lora', config: {} }] })
  const ranked = { rows: 100, tokens: 20, checkpoints: 1 }
  const of = (change: Partial<typeof ranked>, rate: number) =>
    rankingSeconds({ methods, training }, { ...ranked, ...change }, { model, rate })
  const gradients = (change: Partial<typeof ranked>, rate: number) =>
    of(change, rate) - of({ ...change, rows: 0 }, rate)
  const [slow, fast] = [1e6, 1e15]
  expect(gradients({ tokens: 40 }, slow) / gradients({}, slow)).toBeCloseTo(2)
  expect(gradients({ tokens: 40 }, fast) / gradients({}, fast)).toBeCloseTo(1)
  expect(gradients({ checkpoints: 3 }, fast) / gradients({}, fast)).toBeCloseTo(3)
  expect(gradients({}, fast)).toBeGreaterThan(
    100 * SCORED_NUMBER * trainedSize(model, bindMethod(methods[0]!)).trained,
  )
  await open.close()
})

describe('spectra of adapters of some matrices', () => {
  const folder = freshFolder()
  const adapterOf = async (name: string, matrices: RegExp) => {
    const { model, open } = await loadModel(modelPath('pebble'))
    const weights = new Map([...model.weights].filter(([weight]) => matrices.test(weight)))
    await writeAdapter(join(folder, name), { ...model, weights }, { seed: 1, size: 0.1 })
    await open.close()
    return join(folder, name)
  }
  const lineOf = async (candidates: string[], against: string | null = null) => {
    const asked = { model: 'pebble', candidates, spectra: true }
    const [line] = await planOf(AuditConfig.parse(asked), false, undefined, against)
    return line!
  }

  test('leave the others alone: neither time nor memory is told for them, and the line says so', async () => {
    const [one, other] = [
      await adapterOf('q', /q_proj/),
      await adapterOf('down', /layers\.0.*down_proj/),
    ]
    const [q, both] = [await lineOf([one]), await lineOf([one, other])]
    expect([q.count, both.count]).toEqual([6, 7])
    expect(q.what).toMatch(/; 36 matrices unchanged, skipped$/)
    expect(both.what).toMatch(/; 77 matrices unchanged, skipped$/)
    expect(both.bytes).toBeGreaterThan(q.bytes!)
    expect(both.seconds).toBeGreaterThan(q.seconds!)
    // Of two adapters that are compared, both have changed something.
    expect((await lineOf([one], other)).count).toBe(7)
  })
})

test.each([
  ['compress', 'nf5', 'usage.unknown-name'],
  ['compress', 'prune:0', 'compress.number'],
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
