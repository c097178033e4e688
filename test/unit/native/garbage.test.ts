/** @file Memory that was freed between blocks that are in use goes back to the system, which glibc by itself does not do. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freeGarbage } from '../../../evals/native/garbage.ts'
import { ROOT } from '../../doubles/imports.ts'

const MODULE = join(ROOT, 'evals/native/garbage.ts')
/** Blocks of a packed matrix's size from one heap, every 16th of which stays: MiB resident full, after the arrays are gone, and given back. */
const PROGRAM = `
  const { freeGarbage } = await import(${JSON.stringify(MODULE)})
  const resident = () => Math.round(process.memoryUsage.rss() / 2 ** 20)
  let blocks = Array.from({ length: 256 }, () => new Uint8Array(2 ** 20).fill(1))
  const full = resident()
  const kept = blocks.filter((_, i) => i % 16 === 15)
  blocks = undefined
  freeGarbage()
  console.log(JSON.stringify([full, resident(), kept.length]))`

test.runIf(process.platform === 'linux')('of 240 MiB that are free at least 200 go back', () => {
  // No block is mapped of its own, as after the first large one was freed.
  const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: String(2 ** 25), MALLOC_ARENA_MAX: '1' }
  const words = ['--input-type=module', '-e', PROGRAM]
  const said = spawnSync(process.execPath, words, { env, encoding: 'utf8' })
  expect(said.stderr, 'nothing is said of an experiment').toBe('')
  const [full, after, kept] = JSON.parse(said.stdout) as [number, number, number]
  expect(kept).toBe(16)
  expect(full - after).toBeGreaterThan(200)
})

test('every array is freed when the call returns, not by a thread some time later', () => {
  freeGarbage()
  const before = process.memoryUsage().arrayBuffers
  const left = Array.from({ length: 20 }, () => {
    fillAndForget()
    freeGarbage()
    return process.memoryUsage().arrayBuffers - before
  })
  expect(Math.max(...left)).toBeLessThan(2 ** 20)
})

/** 64 MiB in arrays of 1 MiB, none of which is kept. */
function fillAndForget() {
  return Array.from({ length: 64 }, () => new Uint8Array(2 ** 20).fill(1)).length
}
