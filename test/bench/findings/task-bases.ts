/** @file Bases of tasks alone: trained and asked in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TaskConfig } from '../../../evals/audit/tasks/config.ts'
import { findTask } from '../../../evals/audit/tasks/registry.ts'
import type { OpenNetwork, PreparedTask, TaskRow } from '../../../evals/audit/tasks/task.ts'
import { askedOfBase, trainedBase } from '../../../evals/audit/tasks/trained-base.ts'
import type { TaskPart } from '../../../evals/contract/tasks/task-rows.ts'
import type { Ask } from '../../../evals/measure/ask.ts'

interface TrainedTask {
  readonly prepared: PreparedTask
  readonly ask: Ask
  readonly network: OpenNetwork
}

interface ChosenBase {
  /** Its network. */
  readonly base: string
  readonly seed: number
  /** The task's own number if not given. */
  readonly steps?: number
  /** True if not given. */
  readonly isPretrained?: boolean
  /** Changes of the trained network's configuration, in each of which it is asked; as it is if not given. */
  readonly asked?: readonly object[]
}

/** What is found by `use` in each of the ways in which the base is asked. */
export async function withBase<T>(
  name: string,
  { base, seed, steps, isPretrained = true, asked = [{}] }: ChosenBase,
  use: (trained: TrainedTask) => Promise<T>,
): Promise<T[]> {
  const task = findTask(name)
  const reads = { base: Infinity, arm: Infinity, each: Infinity }
  const prepared = await (await task.load()).prepare({ base, seed, file: null, reads })
  const workspace = mkdtempSync(join(tmpdir(), 'task-base-'))
  const config = TaskConfig.parse({ task: name, baseSeed: seed, threads: 1, device: 'cpu' })
  const { model, baseRows: rows } = prepared
  const context = {
    emit: () => undefined,
    seal: () => undefined,
    flush: () => undefined,
    signal: new AbortController().signal,
    workspace,
  }
  try {
    const training = { ...task.training.base, ...(steps !== undefined && { steps }) }
    const pretraining = isPretrained ? prepared.pretraining : undefined
    const path = await trainedBase(
      { model, rows, training, config, ...(pretraining && { pretraining }) },
      context,
    )
    const found: T[] = []
    for (const changes of asked) {
      writeFileSync(join(path, 'config.json'), JSON.stringify({ ...model.config, ...changes }))
      found.push(
        await askedOfBase(path, config, context, (ask, network) => use({ prepared, ask, network })),
      )
    }
    return found
  } finally {
    rmSync(workspace, { recursive: true })
  }
}

/** Share of a part's rows, of those that `isAsked` if given, whose class the base tells. */
export async function shareRight(
  { prepared, ask }: Pick<TrainedTask, 'prepared' | 'ask'>,
  part: TaskPart,
  isAsked: (row: TaskRow) => boolean = () => true,
): Promise<number> {
  const rows = prepared.measured.find((each) => each.part === part)!.rows.filter(isAsked)
  const logits = await ask(
    'classes',
    rows.map(({ text }) => text),
  )
  const classes = Object.values(prepared.model.config['id2label'] as Record<string, string>)
  const right = rows.filter(
    ({ label }, i) => classes[logits[i]!.indexOf(Math.max(...logits[i]!))] === label,
  )
  return right.length / rows.length
}
