/** @file A helper whose call computes without end is killed, says so, and the next call is answered by a new one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createHelper } from '../../../evals/engine/helper.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

/** Of processor time. The first call takes several times that, the others a small part of it. */
const PATIENCE_MS = 600

test('a call that does not come back ends its helper, and the next one is answered', async () => {
  const folder = freshFolder()
  const slow = join(folder, 'slow')
  mkdirSync(slow)
  const lists = '[0],'.repeat(4_000_000)
  writeFileSync(join(slow, 'config.json'), `{"model_type": "llama", "more": [${lists}[0]]}`)
  const sheet = join(folder, 'sheet.csv')
  writeFileSync(sheet, 'q,a\nIs there a lift?,Yes.\n')
  const helper = createHelper(folder, PATIENCE_MS)
  try {
    const asked = helper.handlers.model.inspect({ path: slow })
    await expect(asked).rejects.toMatchObject({ code: 'engine.process-died' })
    await expect(asked).rejects.toThrow(/did not come back from a call in 0\.6 s of processor time/)
    expect(await helper.handlers.data.columns({ source: sheet })).toMatchObject({
      columns: ['q', 'a'],
    })
  } finally {
    await helper.close()
  }
})
