/** @file How much worse the base of a task of places is near the poles: trained and asked in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TaskConfig } from '../../../evals/audit/tasks/config.ts'
import { findTask } from '../../../evals/audit/tasks/registry.ts'
import { trainedBase } from '../../../evals/audit/tasks/trained-base.ts'
import { openEncoderSession } from '../../../evals/inference/encoder-session.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { classesOf } from '../../../evals/models/registry.ts'

const TASK = findTask('checkerboard')
const POLAR = 60
const device = { name: 'cpu', threads: 1 } as const

/** Share told right between 60° S and 60° N less the share nearer to the poles, points, over places even in latitude. */
export async function polarGap(base: string, seed: number): Promise<number> {
  const reads = { base: Infinity, arm: Infinity, each: Infinity }
  const prepared = await (await TASK.load()).prepare({ base, seed, file: null, reads })
  const workspace = mkdtempSync(join(tmpdir(), 'task-latitudes-'))
  const config = TaskConfig.parse({ task: TASK.name, baseSeed: seed, threads: device.threads })
  const work = {
    model: prepared.model,
    rows: prepared.baseRows,
    training: TASK.training.base,
    config,
  }
  const context = {
    emit: () => undefined,
    seal: () => undefined,
    flush: () => undefined,
    signal: new AbortController().signal,
    workspace,
  }
  const opened = await openBase(await trainedBase(work, context), device, 256)
  const { model, weights, open } = opened
  const limits = { maxPositions: 2, padId: open.tokenizer.padId, batchSize: 256 }
  const session = openEncoderSession({ model, frozen: weights }, device, limits)
  try {
    const { rows } = prepared.measured.find(({ part }) => part === 'shift')!
    const ids = rows.map(({ text }) => open.tokenizer.encode(text))
    const logits = await session.run('classes', ids)
    const classes = classesOf(model)!
    const shares = [false, true].map((isPolar) => {
      const own = rows.flatMap(({ text, label }, i) => {
        const [, lat] = text.split(' ').map(Number)
        if (Math.abs(lat!) >= POLAR !== isPolar) return []
        return classes[logits[i]!.indexOf(Math.max(...logits[i]!))] === label ? [1] : [0]
      })
      return own.reduce((sum: number, hit) => sum + hit, 0) / own.length
    })
    return 100 * (shares[0]! - shares[1]!)
  } finally {
    await session.release()
    await open.close()
    rmSync(workspace, { recursive: true })
  }
}
