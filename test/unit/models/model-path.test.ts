/** @file A download cache is opened by its folder, and leads nowhere but into its own snapshots. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snapshotOf } from '../../../evals/models/model-path.ts'

let cache: string

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'touchstone-cache-'))
  await mkdir(join(cache, 'refs'))
  for (const commit of ['aaa', 'bbb'])
    await mkdir(join(cache, 'snapshots', commit), { recursive: true })
})
afterEach(() => rm(cache, { recursive: true, force: true }))

const refer = (text: string) => writeFile(join(cache, 'refs', 'main'), text)

describe('the folder models--org--name', () => {
  test('means the snapshot that refs/main names', async () => {
    await refer('bbb\n')
    expect(snapshotOf(cache)).toBe(join(cache, 'snapshots', 'bbb'))
  })

  test('means the only snapshot where there is no reference', async () => {
    await rm(join(cache, 'snapshots', 'aaa'), { recursive: true })
    expect(snapshotOf(cache)).toBe(join(cache, 'snapshots', 'bbb'))
  })

  test.each(['', 'ccc', '../../elsewhere', '..', 'x'.repeat(1000)])(
    'is left as it is where the reference is "%.20s"',
    async (text) => {
      await refer(text)
      expect(snapshotOf(cache)).toBe(cache)
    },
  )
})

test('any other path is itself', async () => {
  await refer('bbb')
  const snapshot = join(cache, 'snapshots', 'bbb')
  for (const path of [snapshot, join(cache, 'nothing'), join(cache, 'refs', 'main')])
    expect(snapshotOf(path)).toBe(path)
})
