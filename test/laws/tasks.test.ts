/** @file The laws of tasks: every method takes steps on every task or says why not, and its rows are an audit's. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { examplesDigest, runArm } from '../../evals/arms/arm.ts'
import { TaskConfig } from '../../evals/audit/tasks/config.ts'
import { openTask } from '../../evals/audit/tasks/kept-base.ts'
import { TASKS } from '../../evals/audit/tasks/registry.ts'
import type { TaskEntry } from '../../evals/audit/tasks/task.ts'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { Results } from '../../evals/contract/results.ts'
import { full } from '../../evals/finetune/methods/full.ts'
import { lora } from '../../evals/finetune/methods/lora.ts'
import { bindMethod, METHODS } from '../../evals/finetune/registry.ts'
import { TrainingConfig } from '../../evals/finetune/training/train.ts'
import { classedExamples } from '../../evals/measure/classes.ts'
import { problems, type Schema } from '../doubles/rows/schema-reader.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'

/** Bases are kept in the user's cache. */
vi.stubEnv('XDG_CACHE_HOME', freshFolder())

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/results.schema.json'), 'utf8'),
) as Schema
const FEW = ['--steps', '3', '--base-steps', '3', '--batch-size', '2', '--limit', '8']
const TRAINING = { steps: 3, batchSize: 2, learningRate: 1e-3 }
const SILENT = {
  seal: () => undefined,
  flush: () => undefined,
  signal: new AbortController().signal,
}
const CHEAP = ['--ranks', '2', '--no-spectra', '--no-match-loss', '--threads', '1', '--exit-zero']

/** The task's own base in the long check; else, where there is one, a small network under the same code. */
const baseOf = ({ bases }: Pick<TaskEntry, 'bases'>) =>
  process.env['TOUCHSTONE_LONG'] ? bases[0]! : (bases.find((name) => SMALL.test(name)) ?? bases[0]!)
const SMALL = /^(?:mixture|visual)|-small$/u

/** Through the whole of an audit; the other methods differ from these in their steps alone. */
const WHOLE: readonly string[] = [full.name, lora.name]

describe.each(TASKS.map((task) => [task.name, task] as const))('%s', (name, task) => {
  test('is measured before and after, and reported', async () => {
    const out = freshFolder()
    const methods = ['--methods', WHOLE.join(',')]
    const base = ['--base', baseOf(task)]
    const argv = ['task', name, ...base, ...methods, ...FEW, ...CHEAP, '--out-dir', out]
    const { code, stderr } = await runCommand(argv, {}, COMMANDS)
    expect([code, stderr.includes('bug')], stderr).toEqual([0, false])
    const json: unknown = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))
    expect(problems(SCHEMA, json)).toEqual([])
    const results = Results.parse(json)
    const [content] = results.artifacts.flatMap((row) =>
      row.content?.kind === 'task' ? row.content : [],
    )
    expect(content!.parts.map(({ part }) => part)).toEqual(['gain', 'retention', 'shift'])
    for (const { benchmark } of content!.parts) {
      const last = results.evaluations.filter(
        (row) => row.benchmark === benchmark && row.step === 3,
      )
      expect(new Set(last.map(({ arm }) => arm.replace(/-r2$/u, '')))).toEqual(new Set(WHOLE))
      // After so few steps classes may tie, which is undecided.
      expect(last.map(({ rate, counts }) => rate.n + counts.undecided)).toEqual(last.map(() => 8))
      const asBase = results.origins!.filter((row) => row.benchmark === benchmark)
      expect(asBase.map(({ step, origin }) => [step, origin.from])).toEqual(
        WHOLE.map(() => [0, 'base']),
      )
    }
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(`Task: ${task.title}`)
  })

  test('takes three steps of every method that fits', async () => {
    const base = await openTask(
      TaskConfig.parse({
        ...{ task: name, base: baseOf(task), methods: [], baseSteps: 3, limit: 8, threads: 1 },
        training: { ...task.training.arm, ...TRAINING },
      }),
      'law',
    )
    try {
      const { examples } = classedExamples(base.base, base.data, 512)
      for (const method of METHODS.filter(({ name: own }) => task.unfit?.[own] === undefined)) {
        const known = method.config.parse({}) as object
        const few = {
          ...('rank' in known && { rank: 2, alpha: 4 }),
          ...('alternations' in known && { alternations: 2 }),
        }
        const plan = {
          arm: method.name,
          method: bindMethod({ name: method.name, config: few }),
          seed: 0,
          training: TrainingConfig.parse(TRAINING),
          examples,
          dataDigest: examplesDigest(examples),
          evaluateAt: [TRAINING.steps],
          evaluation: undefined,
        }
        const losses: number[] = []
        const { key, parameters } = await runArm(base.base, plan, {
          ...SILENT,
          workspace: freshFolder(),
          emit: (event) => {
            if (event.type === 'metric' && event.row.name === 'train/loss')
              losses.push(event.row.value)
          },
        })
        expect([key.step, losses.length], method.name).toEqual([3, 3])
        expect([...losses, parameters.size].every(Number.isFinite), method.name).toBe(true)
      }
    } finally {
      await base.base.open.close()
    }
  })

  test('is listed with its paper and its bases', async () => {
    const { code, stdout } = await runCommand(['task', '--list'], {}, COMMANDS)
    expect(code).toBe(0)
    for (const said of [`${name}: ${task.title} (${task.paper})`, task.about, ...task.bases])
      expect(stdout).toContain(said)
  })
})
