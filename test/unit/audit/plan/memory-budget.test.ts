/** @file What a budget of memory chooses, what it says where nothing fits, and that a resumed run keeps the choice. */
import { join } from 'node:path'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import {
  fitted,
  fittedOnce,
  tellTooLarge,
  tooLargeHere,
  type BudgetRequest,
} from '../../../../evals/audit/plan/memory-budget.ts'
import { bytesOfSize, isSize } from '../../../../evals/audit/plan/memory-size.ts'
import { modelPath } from '../../../../evals/models/model-path.ts'
import { planOf } from '../../../../evals/audit/plan/plan.ts'
import { planText } from '../../../../evals/document/plan-text.ts'
import { gibibytes } from '../../../../evals/errors/gibibytes.ts'
import { trainingData } from '../../../../evals/measure/sources.ts'
import type { JobContext } from '../../../../evals/contract/job.ts'
import { openModel } from '../../../../evals/models/open-model.ts'
import { recognise } from '../../../../evals/models/registry.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

test.each([
  ['4GB', 4e9],
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['512mib', 2 ** 29],
])('%s is an amount of memory', (text, bytes) => {
  expect(isSize(text)).toBe(true)
  expect(bytesOfSize(text)).toBe(bytes)
})

test.each(['', '4', 'GB', '-1GB', '4 gigabytes'])('"%s" is none', (text) => {
  expect(isSize(text)).toBe(false)
})

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(3)}MB`
const configOf = (memory: string | null, training: object = {}, method = 'lora') =>
  AuditConfig.parse({
    model: 'pebble',
    data: 'house-benign',
    memory,
    spectra: false,
    methods: [{ name: method, config: {} }],
    training: { steps: 2, ...training },
  })

async function asked(config: AuditConfig): Promise<BudgetRequest<AuditConfig>> {
  const open = await openModel(modelPath('pebble'))
  onTestFinished(() => open.close())
  const opened = { open, model: recognise(open.checkpoint) }
  return { opened, config, data: await trainingData('house-benign'), evaluates: false }
}

/** Peaks as blocks are computed once and twice, and an amount between them. */
async function peaks() {
  const [once, twice] = await Promise.all(
    [false, true].map(async (checkpointing) =>
      fitted(await asked(configOf(null, { checkpointing }))),
    ),
  )
  return { once: once!.bytes, twice: twice!.bytes, between: (once!.bytes + twice!.bytes) / 2 }
}

test('blocks are computed twice where they must be, and only there', async () => {
  const { once, twice, between } = await peaks()
  expect(twice).toBeLessThan(once)
  const chosen = async (bytes: number, training?: object) => {
    const found = await fitted(await asked(configOf(megabytes(bytes), training)))
    return [found.config.training.checkpointing, found.bytes, found.why]
  }
  expect(await chosen(once + 1e4)).toEqual([false, once, expect.stringMatching(/^Training takes/)])
  expect(await chosen(between)).toEqual([true, twice, expect.stringContaining('computed twice')])
  const explicit = await chosen(once + 1e4, { checkpointing: true })
  expect(explicit.slice(0, 2)).toEqual([true, twice])
  expect(explicit[2]).toMatch(/^Training with --checkpointing takes/)
})

test('where nothing fits, what would is named, in flags that do fit', async () => {
  const { twice } = await peaks()
  const tight = megabytes(twice - 1e5)
  const refusal = fitted(await asked(configOf(tight)))
  await expect(refusal).rejects.toMatchObject({
    code: 'memory.too-little',
    remedy: expect.stringMatching(/--base-precision int8 .*--batch-size \d+ /) as string,
  })
  const error = (await refusal.catch((thrown: unknown) => thrown)) as { remedy: string }
  const batchSize = Number(/--batch-size (\d+)/.exec(error.remedy)![1])
  const found = await fitted(await asked(configOf(tight, { batchSize })))
  expect(found.config.training.checkpointing).toBe(true)
})

test('states that are asked together may be asked one by one', async () => {
  const work = async (memory: string | null, evalTogether: boolean) => {
    const config = { ...configOf(memory, { checkpointing: true, batchSize: 1 }), evalTogether }
    return { ...(await asked(config)), evaluates: true }
  }
  const [alone, together] = await Promise.all(
    [false, true].map(async (each) => (await fitted(await work(null, each))).bytes),
  )
  expect(together).toBeGreaterThan(alone!)
  const budget = megabytes((alone! + together!) / 2)
  await expect(fitted(await work(budget, true))).rejects.toMatchObject({
    remedy: expect.stringMatching(/^Add --no-eval-together \(/) as string,
  })
})

test('a full fine-tune is not told to keep its base smaller, and a hopeless budget names none', async () => {
  await expect(fitted(await asked(configOf('1MB', {}, 'full')))).rejects.toMatchObject({
    code: 'memory.too-little',
    remedy: expect.stringMatching(/^Allow at least/) as string,
  })
})

test('the plan says what is chosen', async () => {
  const { between } = await peaks()
  const lines = await planOf(configOf(megabytes(between)), false)
  expect(lines[0]!.what).toContain('blocks are computed twice')
})

test('a plan that does not fit here says so, and with which flags it would', async () => {
  const { once, twice, between } = await peaks()
  const tooLarge = async (free: number) => (await planOf(configOf(null), false, free))[0]!.tooLarge
  expect(await tooLarge(once)).toBeUndefined()
  const told = (await tooLarge(between))!
  expect(told.fitting[0]).toEqual({ flags: '--checkpointing', bytes: twice })
  expect(told.fitting.filter(({ bytes }) => bytes > between)).toEqual([])
  const tight = await planOf(configOf(null), false, twice - 1e5)
  const flags = tight[0]!.tooLarge!.fitting.map((each) => each.flags)
  expect(flags.slice(0, 2)).toEqual([
    '--checkpointing --base-precision int8',
    expect.stringMatching(/^--checkpointing --batch-size \d+$/u),
  ])
  const text = planText(tight)
  expect(text).toContain(`It does not fit here: ${gibibytes(twice - 1e5)} are free. It`)
  for (const { flags, bytes } of tight[0]!.tooLarge!.fitting)
    expect(text).toMatch(new RegExp(`\\n {2}${flags} +about ${gibibytes(bytes)}\\n`, 'u'))
  const hopeless = await planOf(configOf(null), false, 1e6)
  expect(planText(hopeless)).toContain('No setting would make it fit; with --')
  expect(hopeless[0]!.tooLarge!.least!.bytes).toBeLessThan(twice)
  // A budget is an error instead.
  expect((await planOf(configOf(megabytes(between)), false, 1e6))[0]!.tooLarge).toBeUndefined()
})

const EVALUATED = { model: 'pebble', suite: ['house'], batchSize: 64, spectra: false }

const evaluation = async (more: object = {}) => {
  const config = AuditConfig.parse({ ...EVALUATED, ...more })
  return { ...(await asked(config)), data: undefined, evaluates: true }
}

test('what a fit rests on is what the same plan says with those flags', async () => {
  const request = await evaluation()
  const { bytes } = await fitted(request)
  const found = (await tooLargeHere(request, bytes, bytes - 1))!
  const settings = {
    float16: { cachePrecision: 'float16' },
    '32': { batchSize: 32 },
    int8: { basePrecision: 'int8' },
  }
  expect(found.fitting.map(({ flags }) => flags)).toEqual([
    '--base-precision int8',
    '--cache-precision float16',
    '--eval-batch-size 32',
  ])
  for (const { flags, bytes: told } of found.fitting) {
    const own = settings[flags.split(' ')[1] as keyof typeof settings]
    expect((await fitted(await evaluation(own))).bytes, flags).toBe(told)
  }
})

test('where no flag is enough, those that save the most are put together', async () => {
  const request = await evaluation()
  const { bytes } = await fitted(request)
  const small = { basePrecision: 'int8', cachePrecision: 'int8', batchSize: 1 }
  const least = (await fitted(await evaluation(small))).bytes
  const free = (least + bytes) / 2
  const alone = (await tooLargeHere(request, bytes, free))!.fitting
  const tighter = (await tooLargeHere(request, bytes, least + 1e5))!.fitting
  expect(tighter).toHaveLength(1)
  expect(tighter[0]!.flags.split(' --').length).toBeGreaterThan(1)
  for (const { bytes: told } of [...alone, ...tighter]) expect(told).toBeLessThanOrEqual(free)
})

test('a run that begins says it, and one that fits says nothing', async () => {
  const said: { level?: string; message?: string }[] = []
  const context = { emit: (body: object) => said.push(body) } as unknown as JobContext
  const request = await evaluation()
  const { bytes } = await fitted(request)
  await tellTooLarge(request, context, bytes)
  expect(said).toEqual([])
  await tellTooLarge(request, context, bytes - 1)
  expect(said).toMatchObject([{ level: 'warn' }])
  expect(said[0]!.message).toMatch(/does not fit here.*--cache-precision float16 \(about/u)
})

test('what was chosen is said once more, and kept, when a run goes on', async () => {
  const { between } = await peaks()
  const workspace = freshFolder()
  const said: unknown[] = []
  const context = { workspace, emit: (body: object) => said.push(body) } as unknown as JobContext
  const work = await asked(configOf(megabytes(between)))
  const first = await fittedOnce(work, context)
  expect(first.training.checkpointing).toBe(true)
  expect(said).toEqual([
    expect.objectContaining({ type: 'artifact' }),
    expect.objectContaining({ message: expect.stringContaining('computed twice') as string }),
  ])
  // As another version, whose estimate is another one, would have left it.
  const path = join(workspace, 'memory.json')
  writeFileSync(path, JSON.stringify({ checkpointing: false, why: 'It was so.' }))
  expect((await fittedOnce(work, context)).training.checkpointing).toBe(false)
  expect(said.at(-1)).toMatchObject({ message: 'It was so.' })
})

test.each(['', '{"checkpointing": 1}', '\u0000'])(
  'a kept choice that is %j is made again',
  async (damaged) => {
    const { between } = await peaks()
    const workspace = freshFolder()
    const path = join(workspace, 'memory.json')
    writeFileSync(path, damaged)
    const context = { workspace, emit: () => undefined } as unknown as JobContext
    const found = await fittedOnce(await asked(configOf(megabytes(between))), context)
    expect(found.training.checkpointing).toBe(true)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ checkpointing: true })
  },
)
