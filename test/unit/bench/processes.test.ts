/** @file The benches' processes at toy size: the work is repeatable, a missing peer is one sentence, a bad flag is another. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLineProcess } from '../../bench/harness/line-process.ts'
import { OutcomeSchema } from '../../bench/harness/measure.ts'
import { DEVIATION, DeviationSchema } from '../../bench/harness/deviation.ts'
import { startOurs, type Inputs } from '../../bench/harness/our-side.ts'
import {
  roundedToInt8,
  writeRandomAdapter,
  writeRandomModel,
  type LlamaSize,
} from '../../bench/harness/random-model.ts'
import { sumsExactly } from '../../../evals/runtime/int8-sums.ts'
import { findPython, startTorch } from '../../bench/harness/torch-side.ts'
import { MIXED, NEW_TOKENS, PROMPT_TOKENS, type Work } from '../../bench/harness/works.ts'
import { sampled } from '../../doubles/tier.ts'
import { TASKS } from '../../../evals/audit/tasks/registry.ts'

const VARIANTS = 'lora-step-compile, lora-step-bf16, full-step-compile, full-step-bf16'
const STEPS_OF_TASKS = TASKS.map(({ name }) => `task-${name}`).join(', ')

const TOY: LlamaSize = { hidden: 32, layers: 2, heads: 2, kvHeads: 1, intermediate: 48, vocab: 97 }
const GENERATION = { does: 'generate', native: true, precision: 'fp32' } as const
const STEP = { does: 'lora-step', native: true, precision: 'fp32' } as const
let inputs: Inputs

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-test-'))
  const at = (name: string) => join(folder, name)
  inputs = { folder, model: at('model'), rounded: at('rounded'), adapter: at('adapter') }
  await writeRandomModel(inputs.model, TOY, 1)
  await writeRandomModel(inputs.rounded, TOY, 1, 'F32', roundedToInt8)
  await writeRandomAdapter(inputs.adapter, inputs.model, TOY, 1)
})
afterAll(() => rm(inputs.folder, { recursive: true, force: true }))

describe('our side', () => {
  test.each(sampled(['lora-step', 'lora-chat', 'full-step'] as const, 1))(
    '%s trains, in the same bits again and without the addon',
    async (work) => {
      const losses = async (native = true) => {
        const child = await startOurs({ does: work, native, precision: 'fp32' }, inputs, 1)
        if (!native) expect(child.arithmetic).toBe('typescript')
        const seen = [1, 2, 3].map(() => child.ask({ work }, OutcomeSchema))
        const outcomes = await Promise.all(seen)
        await child.quit()
        return outcomes.map(({ loss }) => loss!)
      }
      const first = await losses()
      // A random model is about as good as guessing among all tokens.
      expect(first[0]).toBeGreaterThan(0.9 * Math.log(TOY.vocab))
      expect(first[0]).toBeLessThan(1.1 * Math.log(TOY.vocab))
      // Where every step sees the same rows; of random rows that are new nothing is learnt.
      if (work !== 'lora-chat') expect(first[2]).toBeLessThan(first[0]!)
      expect(new Set(first).size).toBe(first.length)
      expect(await losses()).toEqual(first)
      expect(await losses(false)).toEqual(first)
    },
  )

  test('a base in int8 takes the steps of the same base in float32, blocks computed twice or not', async () => {
    const losses = async (work: Partial<Work>) => {
      const child = await startOurs({ ...STEP, precision: 'int8', ...work }, inputs, 1)
      const seen = [1, 2, 3].map(() => child.ask({ work: 'lora-step' }, OutcomeSchema))
      const outcomes = await Promise.all(seen)
      await child.quit()
      return outcomes.map(({ loss }) => loss!)
    }
    const small = await losses({})
    expect(await losses({ checkpointing: true })).toEqual(small)
    const same = { ...inputs, model: inputs.rounded }
    const child = await startOurs(STEP, same, 1)
    const { loss } = await child.ask({ work: 'lora-step' }, OutcomeSchema)
    await child.quit()
    expect(Math.abs(loss! - small[0]!)).toBeLessThan(1e-5)
  })

  test('with a forward in int8 says how far it is from the exact one, after the steps as before them', async ({
    skip,
  }) => {
    if (!(await sumsExactly()))
      skip('this processor cuts sums of int8 off, and the flag is refused')
    const child = await startOurs({ ...STEP, precision: 'int8', forward: 'int8' }, inputs, 1)
    const ask = () => child.ask(DEVIATION, DeviationSchema)
    const before = await ask()
    const { loss } = await child.ask({ work: 'lora-step' }, OutcomeSchema)
    expect(await ask()).toEqual(before)
    await child.quit()
    expect(loss! - before.exactLoss).toBeCloseTo(before.loss, 5)
    expect(Math.abs(before.loss)).toBeLessThan(1e-2)
    expect(before.gradient).toBeGreaterThan(1e-4)
    expect(before.gradient).toBeLessThan(0.1)
  })

  test('generates the same tokens each time, as many as were asked for', async () => {
    const child = await startOurs(GENERATION, inputs, 1)
    const once = await child.ask({ work: 'generate' }, OutcomeSchema)
    const again = await child.ask({ work: 'generate' }, OutcomeSchema)
    await child.quit()
    expect(once.tokens!.map((tokens) => tokens.length)).toEqual(
      Array<number>(PROMPT_TOKENS.rows).fill(NEW_TOKENS),
    )
    expect(again.tokens).toEqual(once.tokens)
  })

  test('answers mixed prompts, each up to its end, the same each time', async () => {
    const child = await startOurs({ ...GENERATION, does: 'generate-mixed' }, inputs, 1)
    const { tokens, runs } = await child.ask({ work: 'generate-mixed' }, OutcomeSchema)
    expect((await child.ask({ work: 'generate-mixed' }, OutcomeSchema)).tokens).toEqual(tokens)
    await child.quit()
    const lengths = tokens!.map(({ length }) => length)
    expect(lengths).toHaveLength(MIXED.rows)
    expect(new Set(lengths).size).toBeGreaterThan(1)
    for (const written of tokens!) {
      const end = written.findIndex((token) => token % MIXED.endEvery === 0)
      expect(end < 0 ? MIXED.newTokens : end + 1).toBe(written.length)
    }
    expect(runs!).toBeGreaterThan(MIXED.newTokens)
  })

  test('refuses another work than its own and stays usable', async () => {
    const child = await startOurs(GENERATION, inputs, 1)
    await expect(child.ask({ work: 'full-step' }, OutcomeSchema)).rejects.toThrow('not full-step')
    expect((await child.ask({ work: 'generate' }, OutcomeSchema)).ms).toBeGreaterThan(0)
    await child.quit()
  })
})

describe('a process that ends before it answers', () => {
  test('says so with its code and its last words', async () => {
    const script = 'process.stderr.write("no luck"); process.exit(7)'
    const started = startLineProcess(process.execPath, ['-e', script])
    await expect(started).rejects.toMatchObject({ code: 7, complaint: 'no luck' })
  })

  test('is noticed while an answer is awaited', async () => {
    const script = 'console.log("{}"); process.stdin.once("data", () => process.exit(9))'
    const started = await startLineProcess(process.execPath, ['-e', script])
    await expect(started.ask({ work: 'generate' }, OutcomeSchema)).rejects.toMatchObject({
      code: 9,
    })
  })
})

describe('the peer', () => {
  test('is looked for where it is said to be, then on the path', () => {
    expect(findPython({ TOUCHSTONE_PYTHON: '/a/python', PATH: '/b' })).toBe('/a/python')
    expect(findPython({ PATH: '/nowhere' })).toBeUndefined()
    expect(findPython({})).toBeUndefined()
  })

  test('without its libraries is one sentence', async () => {
    const script = join(inputs.folder, 'python')
    const words = 'Skipped: torch is not installed.'
    await writeFile(script, `#!/bin/sh\necho "${words}" >&2\nexit 3\n`, { mode: 0o755 })
    expect(await startTorch(script, STEP, inputs, 1, 'passive')).toBe(words)
  })

  test('that cannot be started is one sentence', async () => {
    const missing = join(inputs.folder, 'missing')
    expect(await startTorch(missing, STEP, inputs, 1, 'default')).toMatch(/^Skipped: .*\.$/)
  })

  test.runIf(process.platform !== 'win32').each([
    [
      ['--work', 'lora'],
      `There is no work "lora"; there are lora-step, lora-step-checkpointed, lora-step-small, lora-step-int8, lora-step-int8-forward, lora-chat, full-step, full-step-plain, generate, generate-mixed, ${VARIANTS}, ${STEPS_OF_TASKS}.`,
    ],
    [['--layers', '2.5'], '--layers takes a whole number from 1 to 1000, not "2.5".'],
    [['--threads', '0'], '--threads takes a whole number from 1 to 1024, not "0".'],
  ])('a wrong flag ends with a sentence: %j', (flags, sentence) => {
    const script = fileURLToPath(new URL('../../bench/bench.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' })
    expect([status, stderr.trim()]).toEqual([2, sentence])
  })
})
