/** @file Numbers of a task beside its rates: values, intervals over units, changes from the base's own units. */
import { describe, expect, test } from 'vitest'
import { measurementsOf } from '../../../evals/audit/tasks/measures.ts'
import type { TaskMeasure } from '../../../evals/audit/tasks/task.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { SubjectKey } from '../../../evals/contract/rows.ts'
import type { TaskMeasured } from '../../../evals/contract/tasks/task-rows.ts'
import type { Subject } from '../../../evals/inference/subject.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const BASE = { arm: 'base', seed: 0, step: 0 }
const ARM = { arm: 'lora-r1', seed: 0, step: 9 }

async function measured(
  measure: TaskMeasure,
  factorOf: ReadonlyMap<SubjectKey, number>,
): Promise<(TaskMeasured | undefined)[]> {
  const workspace = freshFolder()
  const events: JobEventBody[] = []
  const [one] = measurementsOf([measure], workspace, ARM.step)
  for (const [key, factor] of factorOf) {
    // A network that gives back its number, times a factor.
    const outputs = async (_: string, texts: readonly string[]) =>
      texts.map((text) => Float32Array.of(factor * Number(text)))
    const context = {
      emit: (event: JobEventBody) => void events.push(event),
      seal: () => undefined,
      flush: () => undefined,
      signal: new AbortController().signal,
      workspace,
    }
    await one!.run({ outputs } as unknown as Subject, key, context)
  }
  return events.flatMap((event) =>
    event.type === 'artifact' && event.row.content?.kind === 'task-measure'
      ? [event.row.content]
      : [],
  )
}

type Statistic = TaskMeasure['numbers'][number]['of']
const mean: Statistic = (rows) => rows.reduce((sum, [x]) => sum + x!, 0) / rows.length

const of = (given: readonly number[], statistic = mean): TaskMeasure => ({
  name: 'sizes',
  async rows(ask) {
    const outputs = await ask('classes', given.map(String))
    return outputs.map((output, i) => ({ unit: `site ${i % 4}`, numbers: [output[0]!] }))
  },
  numbers: [{ name: 'size', title: 'Size', unit: 'cm', better: 'lower', of: statistic }],
})

describe('a measure', () => {
  test('is a mean over rows with an interval over units, and a change on the same units', async () => {
    const states = new Map([
      [BASE, 1],
      [ARM, 3],
    ])
    const [base, arm] = await measured(of([1, 2, 3, 4, 1, 2, 3, 4]), states)
    expect(base).toMatchObject({ value: 2.5, n: 4, change: null, unit: 'cm', better: 'lower' })
    expect(base!.lower).toBeGreaterThanOrEqual(1)
    expect(base!.lower).toBeLessThan(2.5)
    expect(arm).toMatchObject({ value: 7.5, change: { value: 5 } })
    // Three times as large, unit by unit: the change is drawn with the units, not by itself.
    expect(arm!.change!.lower).toBeCloseTo(2 * base!.lower!, 6)
  })

  test('is of a fine-tune at its last step alone', async () => {
    const states = new Map([
      [BASE, 1],
      [{ ...ARM, step: 0 }, 1],
      [{ ...ARM, step: 5 }, 1],
      [ARM, 1],
    ])
    const steps = (await measured(of([1, 2]), states)).map((found) => found!.step)
    expect(steps).toEqual([BASE.step, ARM.step])
  })

  test('may be another statistic, and has no value where that has none', async () => {
    const largest: Statistic = (rows) => Math.max(...rows.map(([x]) => x!))
    const states = new Map([[BASE, 1]])
    const [found] = await measured(of([1, 2, 3, 9], largest), states)
    expect([found!.value, found!.upper]).toEqual([9, 9])
    const [none] = await measured(
      of([1, 2], () => null),
      states,
    )
    expect([none!.value, none!.lower, none!.change]).toEqual([null, null, null])
  })
})
