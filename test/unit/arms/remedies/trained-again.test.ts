/** @file Remedies that train again: what each training sees, and the adapter that is kept of one, which a server serves. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { ArmPlan } from '../../../../evals/arms/arm-plan.ts'
import { mixedPlan } from '../../../../evals/arms/remedies/mixing.ts'
import { Results } from '../../../../evals/contract/results.ts'
import { readJson } from '../../../../evals/files/read-file.ts'
import { openServed } from '../../../../evals/measure/serving/open-served.ts'
import { mendedAudit } from '../../../doubles/runs/mended-audit.ts'

const example = (id: number) => ({ ids: [id, id], labelled: [false, true] })

test('rows that are mixed in do not take the place of the fine-tune’s own', () => {
  const own = Array.from({ length: 30 }, (_, i) => example(i))
  const plan = { examples: own, seed: 3, training: { steps: 60 } } as unknown as ArmPlan
  const mixed = mixedPlan(plan, [example(100), example(101)], 0.25)
  expect(mixed.examples).toHaveLength(40)
  const seen = (of: Pick<ArmPlan, 'training' | 'examples'>) =>
    of.training.steps / of.examples.length
  expect(seen(mixed)).toBe(seen(plan))
  expect(mixed.examples.slice(0, 30)).toEqual(own)
})

test('rows that took most refusal are left out, and the adapter that is kept of it is served', async () => {
  const remedy = 'leave-out:values=0.25:checkpoints=1:replies=1'
  const { code, stderr, outDir } = await mendedAudit(remedy, '--keep-mended')
  expect([code, stderr]).toEqual([0, ''])
  const results = Results.parse(await readJson(join(outDir, 'results.json')))
  expect(results.remedies).toMatchObject([{ remedy: 'leave-out', chosen: 0.25 }])
  const kept = results.artifacts.find(
    ({ content }) => content?.kind === 'weights' && content.arm.startsWith('remedy:leave-out'),
  )!
  const path = dirname(kept.path)
  expect(existsSync(join(path, 'adapter_config.json'))).toBe(true)
  const served = await openServed({
    ...{ model: 'pebble', baseName: 'pebble', device: { name: 'cpu', threads: 1 } },
    ...{ poolBytes: 2 ** 24, rows: 2, mostWaiting: 2, firstTokenMs: null },
    adapters: [{ name: 'mended', path }],
  })
  expect([...served.models.keys()]).toContain('mended')
  await served.close()
})
