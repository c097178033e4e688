/** @file A cache folder's key: one for all who use the folder, however many begin at once. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeKey, readKey } from '../../../evals/files/kept-files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchstone-kept-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('of several that make a key at once the first one’s stays, for all', async () => {
  for (let round = 0; round < 20; round++) {
    const own = join(folder, String(round))
    const keys = await Promise.all(Array.from({ length: 8 }, () => makeKey(own)))
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1)
    expect(await readKey(own)).toEqual(keys[0])
    expect(readdirSync(own)).toEqual(['key'])
  }
})

test('what is no key is replaced', async () => {
  writeFileSync(join(folder, 'key'), 'short')
  expect(await readKey(folder)).toBeUndefined()
  const key = await makeKey(folder)
  expect(key).toHaveLength(16)
  expect(await makeKey(folder)).toEqual(key)
})
