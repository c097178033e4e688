/** @file Killed at any moment, the database is whole, a prefix of what was said, and can be gone on with. */
import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openStore } from '../../../../evals/runs/store/store.ts'

const KILLS = process.env['TOUCHSTONE_LONG'] ? 200 : 6
const CHILD = join(import.meta.dirname, 'kill-child.ts')

/** Moments spread over a few batches, the same in every run of this test. */
const momentMs = (attempt: number) => (attempt * 37) % 120

async function killAfter(path: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await sleep(ms)
  child.kill('SIGKILL')
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
}

test(`survives ${KILLS} kills of one run`, async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'touchstone-kill-')), 'touchstone.db')
  let before = 0
  for (let attempt = 0; attempt < KILLS; attempt++) {
    await killAfter(path, momentMs(attempt))
    const database = new Database(path)
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(database.pragma('foreign_key_check')).toEqual([])
    database.close()

    const store = openStore(path)
    const sequence = store.events('run-1').map(({ seq }) => seq)
    expect(sequence).toEqual(sequence.map((_, index) => index + 1))
    expect(sequence.length).toBeGreaterThan(before)
    before = sequence.length
    // A finished evaluation has all that came before it: 50 replies, their verdicts and sealed texts.
    const { replies, verdicts, evaluations } = store.rows('run-1')
    const complete = evaluations.length * 50
    expect(replies.length).toBeGreaterThanOrEqual(complete)
    expect(verdicts.length).toBeGreaterThanOrEqual(complete)
    expect(store.sealed('run-1').length).toBeGreaterThanOrEqual(complete)
    store.close()
  }
})
