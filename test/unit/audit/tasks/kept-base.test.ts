/** @file The base of a task that many fine-tunes share: trained once, and again where anything it depends on is another. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { TaskConfig } from '../../../../evals/audit/tasks/config.ts'
import { openTask } from '../../../../evals/audit/tasks/kept-base.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

test('is trained once, and again for other steps or numerics', async () => {
  const cache = freshFolder()
  vi.stubEnv('XDG_CACHE_HOME', cache)
  const opened = async (baseSteps: number, numerics: string) => {
    const task = { task: 'guided-diffusion', base: 'mixture/3', limit: 4, threads: 1 }
    const training = { steps: 2, batchSize: 4 }
    const config = TaskConfig.parse({ ...task, methods: [], baseSteps, training })
    const { base, benchmarks, data } = await openTask(config, numerics)
    await base.open.close()
    expect([benchmarks.length, data.conversations.length]).toEqual([3, 8])
    return base.digest
  }
  const first = await opened(2, 'a')
  expect(await opened(2, 'a')).toBe(first)
  expect(readdirSync(join(cache, 'touchstone', 'tasks'))).toHaveLength(1)
  expect(await opened(3, 'a')).not.toBe(first)
  expect(await opened(2, 'b')).toBe(first)
  expect(readdirSync(join(cache, 'touchstone', 'tasks'))).toHaveLength(3)
})
