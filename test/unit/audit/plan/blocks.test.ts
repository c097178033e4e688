/** @file A plan that asks for blocks is refused where nothing is in blocks, or nothing is here to multiply them, before it is told. */
import { afterEach, expect, test, vi } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../../doubles/models/tiny-gguf.ts'
import { load } from '../../../../evals/native/load.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

async function plan(model: string) {
  const [{ planOf }, { AuditConfig }] = await Promise.all([
    import('../../../../evals/audit/plan/plan.ts'),
    import('../../../../evals/audit/config.ts'),
  ])
  const asked = { model, suite: ['house'], limit: 2, basePrecision: 'blocks' }
  return planOf(AuditConfig.parse(asked), true)
}

async function tiny(): Promise<string> {
  const path = join(freshFolder(), 'tiny.gguf')
  await writeFile(path, ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
  return path
}

test('without the addon', async () => {
  vi.stubEnv('TOUCHSTONE_NATIVE', 'off')
  vi.resetModules()
  await expect(plan(await tiny())).rejects.toMatchObject({ code: 'blocks.needs-addon' })
})

test.skipIf(!load().addon)('without blocks', async () => {
  await expect(plan('pebble')).rejects.toMatchObject({ code: 'blocks.none' })
})
