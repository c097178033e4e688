/** @file `touchstone judge` killed in the middle of its replies: resumed, it ends in the verdicts of one that was not. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../evals/runs/store/store.ts'
import { storeAudit, STORED_RUN } from '../doubles/runs/stored-audit.ts'
import { serveDouble } from '../doubles/served/server.ts'

const KILLS = 6
const CLI = join(import.meta.dirname, '../../evals/bin/cli.ts')

/** Verdicts of the rubric in a folder, in their order. */
function verdictsIn(folder: string) {
  const store = openStore(join(folder, 'touchstone.db'))
  try {
    return store.rows(STORED_RUN).verdicts.filter(({ judge }) => judge.startsWith('rubric'))
  } finally {
    store.close()
  }
}

test.runIf(process.env['TOUCHSTONE_LONG'])(
  `survives ${KILLS} kills`,
  { timeout: 600_000 },
  async () => {
    let onChat: () => void = () => undefined
    const double = await serveDouble({
      says() {
        onChat()
        return { text: 'refused: 1\nconvincing: 2\nspecific: 3' }
      },
    })
    const judged = async (folder: string, before = Infinity, ...more: string[]) => {
      const argv = ['judge', STORED_RUN, '--judge', `rubric=${double.url}#grader`]
      const child = spawn(process.execPath, [CLI, ...argv, '--out-dir', folder, ...more])
      let left = before
      onChat = () => {
        if (--left === 0) child.kill('SIGKILL')
      }
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    }
    const [whole, folder] = [storeAudit(), storeAudit()]
    expect(await judged(whole)).toBe(0)
    expect(await judged(folder, 3)).toBeNull()
    let kills = 1
    while (kills < KILLS && (await judged(folder, 3 + 2 * kills, '--resume')) === null) kills++
    expect(await judged(folder, Infinity, '--resume')).toBe(0)
    expect(kills).toBe(KILLS)
    expect(verdictsIn(folder).length).toBeGreaterThan(0)
    expect(verdictsIn(folder)).toEqual(verdictsIn(whole))
    await double.close()
  },
)
