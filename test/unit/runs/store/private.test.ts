/** @file What holds replies is its owner's alone, whatever the umask, and what was open before is closed. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import { openHome } from '../../../../evals/engine/home.ts'
import { openStore } from '../../../../evals/runs/store/store.ts'
import { openWindowStore } from '../../../../evals/runs/store/window-store.ts'
import { openWorkbench } from '../../../doubles/engine/open-workbench.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'
import { storeAudit } from '../../../doubles/runs/stored-audit.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Every file and folder below, by its mode; the lock is empty. */
function modesUnder(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return Object.fromEntries(
    entries
      .filter(({ name }) => name !== 'touchstone.lock')
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(folder.length + 1), modeOf(path)]
      }),
  )
}

const openTo = (modes: Record<string, string>) =>
  Object.entries(modes).filter(([, mode]) => mode !== '600' && mode !== '700')

describe.each([0, 0o022, 0o277])('with umask %i', (mask) => {
  let before: number
  beforeEach(() => {
    before = process.umask(mask)
  })
  afterEach(() => {
    process.umask(before)
  })

  test('database, WAL, copies and their folders are private', () => {
    const folder = join(freshFolder(), 'out', 'audit')
    const store = openStore(join(storeAudit(undefined, folder), 'touchstone.db'))
    store.copyTo(join(folder, 'copy.db'))
    const window = openWindowStore(folder)
    window.copyTo(join(folder, 'window-copy.db'))
    const modes = modesUnder(join(folder, '..', '..'))
    expect(Object.keys(modes)).toContain('out/audit/touchstone.db-wal')
    expect(openTo(modes)).toEqual([])
    store.close()
    window.close()
  })

  test('exports, reports and cases are private', async () => {
    const folder = storeAudit(undefined, join(freshFolder(), 'runs'))
    const target = join(freshFolder(), 'written')
    const words = ['-o', join(target, 'run.eval'), '-o', join(target, 'run.csv')]
    await runCommand(['export', '--out-dir', folder, ...words], {}, COMMANDS)
    await runCommand(['report', '--out-dir', folder], {}, COMMANDS)
    await runCommand(['case', '--out-dir', folder, '--out', join(target, 'case')], {}, COMMANDS)
    const modes = { ...modesUnder(join(target, '..')), ...modesUnder(join(folder, '..')) }
    for (const name of ['written/run.csv', 'written/case/report.html', 'runs/report.html'])
      expect(modes[name]).toBe('600')
    expect(openTo(modes)).toEqual([])
  })

  test('a back-up of the window is private', async () => {
    const home = openWorkbench(join(freshFolder(), 'home'))
    const path = join(freshFolder(), 'inner', 'backup')
    await home.client.house.backup({ path })
    await home.engine.close()
    expect(modeOf(join(path, 'touchstone.db'))).toBe('600')
    expect(openTo(modesUnder(join(path, '..', '..')))).toEqual([])
    expect(openTo(modesUnder(join(home.folder, '..')))).toEqual([])
  })
})

test('an open database of an earlier version is closed, its folder and copies too, and that is said', () => {
  const folder = storeAudit(undefined, join(freshFolder(), 'runs'))
  const copy = join(folder, 'touchstone.db.schema-3.bak')
  writeFileSync(copy, '')
  writeFileSync(join(folder, 'own-notes.txt'), '')
  chmodSync(join(folder, 'own-notes.txt'), 0o644)
  chmodSync(join(folder, 'touchstone.db'), 0o644)
  chmodSync(copy, 0o664)
  chmodSync(folder, 0o755)
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const opened = openStore(join(folder, 'touchstone.db'))
  const { closed } = opened
  opened.close()
  expect(said.mock.calls.join('')).toMatch(
    /Other users could read .*touchstone\.db, .*now only you/,
  )
  said.mockClear()
  expect(closed).toContain(join(folder, 'touchstone.db'))
  openStore(join(folder, 'touchstone.db')).close()
  expect(said).not.toHaveBeenCalled()
  said.mockRestore()
  expect([folder, join(folder, 'touchstone.db'), copy].map(modeOf)).toEqual(['700', '600', '600'])
  // What Touchstone did not write stays as it is.
  expect(modeOf(join(folder, 'own-notes.txt'))).toBe('644')
})

test('the window goes on saying which files were open, after other starts too', () => {
  const folder = storeAudit(undefined, join(freshFolder(), 'home'))
  const path = join(folder, 'touchstone.db')
  chmodSync(path, 0o644)
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  for (let start = 0; start < 2; start++) {
    const home = openHome(folder)
    expect(home.closed()).toEqual([path])
    home.close()
  }
  said.mockRestore()
})

test('a folder that is shared on purpose, or belongs to somebody’s work, stays open', () => {
  const folder = join(freshFolder(), 'shared')
  mkdirSync(folder)
  chmodSync(folder, 0o1777)
  openStore(join(folder, 'touchstone.db')).close()
  openStore(join(folder, 'touchstone.db')).close()
  expect(modeOf(folder)).toBe('777')
  expect(modeOf(join(folder, 'touchstone.db'))).toBe('600')
})

test('a database of another program keeps its mode', () => {
  const folder = freshFolder()
  const path = join(folder, 'touchstone.db')
  writeFileSync(path, 'not a database at all, but a text that is long enough to be read as one')
  chmodSync(path, 0o644)
  expect(() => openStore(path)).toThrow(expect.objectContaining({ code: 'store.unreadable' }))
  expect(modeOf(path)).toBe('644')
  expect(existsSync(path)).toBe(true)
})
