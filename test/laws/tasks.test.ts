/** @file The laws of tasks: every method takes steps on every task or says why not, and its rows are an audit's. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TASKS } from '../../evals/audit/tasks/registry.ts'
import type { TaskEntry } from '../../evals/audit/tasks/task.ts'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { Results } from '../../evals/contract/results.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { problems, type Schema } from '../doubles/rows/schema-reader.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/results.schema.json'), 'utf8'),
) as Schema
const FEW = ['--steps', '3', '--base-steps', '3', '--batch-size', '4', '--limit', '8']
const CHEAP = ['--ranks', '2', '--no-spectra', '--no-match-loss', '--threads', '1', '--exit-zero']

/** The task's own base in the long check; else, where there is one, a small network under the same code. */
const baseOf = ({ bases }: Pick<TaskEntry, 'bases'>) =>
  process.env['TOUCHSTONE_LONG'] ? bases[0]! : (bases.find((name) => SMALL.test(name)) ?? bases[0]!)
const SMALL = /^(?:mixture|visual)|-small$/u

describe.each(TASKS.map((task) => [task.name, task] as const))('%s', (name, task) => {
  const fitting = METHODS.filter((method) => task.unfit?.[method.name] === undefined)

  test('takes three steps of every method, measured before and after', async () => {
    const out = freshFolder()
    const methods = ['--methods', fitting.map((method) => method.name).join(',')]
    const argv = [
      'task',
      name,
      '--base',
      baseOf(task),
      ...methods,
      ...FEW,
      ...CHEAP,
      '--out-dir',
      out,
    ]
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
      expect(new Set(last.map(({ arm }) => arm.replace(/-r2$/u, '')))).toEqual(
        new Set(fitting.map((method) => method.name)),
      )
      expect(last.every(({ rate }) => rate.n === 8)).toBe(true)
    }
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(`Task: ${task.title}`)
  })

  test('is listed with its paper and its bases', async () => {
    const { code, stdout } = await runCommand(['task', '--list'], {}, COMMANDS)
    expect(code).toBe(0)
    for (const said of [`${name}: ${task.title} (${task.paper})`, task.about, ...task.bases])
      expect(stdout).toContain(said)
  })
})
