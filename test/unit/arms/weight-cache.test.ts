/** @file What a job says of converted weights, and what it reckons with. */
import { expect, test } from 'vitest'
import { AuditConfig } from '../../../evals/audit/config.ts'
import { plannedBytes } from '../../../evals/audit/plan/plan-memory.ts'
import { weightCacheOf } from '../../../evals/arms/weight-cache.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { openModel } from '../../../evals/models/open-model.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import { elementsOfAll } from '../../../evals/models/weights/stored-weights.ts'
import { modelPath } from '../../../evals/models/model-path.ts'

test('--no-cache opens none, --cache-dir says where, and a folder that cannot be used is named', () => {
  const events: JobEventBody[] = []
  const context = { emit: (event: JobEventBody) => void events.push(event) }
  expect(weightCacheOf({ cache: false, cacheDir: null }, context)).toBeUndefined()
  const cache = weightCacheOf({ cache: true, cacheDir: '/some/folder' }, context)!
  expect(cache.folder).toBe('/some/folder')
  cache.onProblem!('it is full')
  expect(events).toEqual([
    {
      type: 'log',
      level: 'warn',
      message: expect.stringMatching(/\/some\/folder.*it is full/u) as string,
    },
  ])
})

test('weights that are kept are not counted twice', async () => {
  const open = await openModel(modelPath('pebble'))
  const { weights, ...rest } = recognise(open.checkpoint)
  // A model of a billion numbers, of which no file has the matrices as they are computed with.
  const large = [...weights].map(([name, spec]) => {
    const shape = spec.shape.map((size) => size * 32)
    return [name, { ...spec, shape, transposed: true }] as const
  })
  const model: Model = { ...rest, weights: new Map(large) }
  const bytes = 4 * elementsOfAll(model.weights.values())
  const config = AuditConfig.parse({ model: 'pebble', methods: [] })
  const planned = (cache: boolean) =>
    plannedBytes({ open, model }, { ...config, cache }, undefined, true)
  const [kept, anew] = [await planned(true), await planned(false)]
  await open.close()
  expect(bytes).toBeGreaterThan(2 ** 28)
  expect(anew - kept).toBe(2 * bytes)
})
