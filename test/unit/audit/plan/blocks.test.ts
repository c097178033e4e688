/** @file A plan that asks for blocks is refused where nothing is in blocks, nothing is here to multiply them, or what is compared would be multiplied otherwise, before it is told. */
import { afterEach, expect, test, vi } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../../doubles/models/tiny-gguf.ts'
import { load } from '../../../../evals/native/load.ts'
import { requireForward } from '../../../../evals/audit/forward.ts'
import { APPROXIMATE, approximationOf, ROUNDED } from '../../../../evals/contract/approximate.ts'

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

test.each([
  ['blocks-int8', ['./adapter'], [], false],
  ['blocks-int8', [], ['restore'], false],
  ['blocks-int8', [], [], true],
  ['blocks', ['./adapter'], ['restore'], true],
] as const)(
  '%s beside candidates %j and remedies %j',
  async (basePrecision, others, mended, isFit) => {
    const asked = {
      ...{ forward: 'exact' as const, methods: [], basePrecision },
      ...{ candidates: [...others], remedy: [...mended] },
    }
    const checked = requireForward(asked, { model: {}, device: { name: 'cpu' } })
    if (isFit) await expect(checked).resolves.toBeUndefined()
    else await expect(checked).rejects.toMatchObject({ code: 'blocks.approximate' })
  },
)

test('a run that was asked approximately says so', () => {
  expect(approximationOf({ basePrecision: 'blocks-int8', methods: [] })).toBe(ROUNDED)
  expect(
    approximationOf({ basePrecision: 'blocks', forward: 'exact', methods: [] }),
  ).toBeUndefined()
  expect(approximationOf({ basePrecision: 'int8', forward: 'int8', methods: ['lora'] })).toBe(
    APPROXIMATE,
  )
})
