/** @file The desktop's window: where it was, its menu, and one at a time. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startShell } from '../../../electron/shell.ts'
import { doubleElectron } from '../../doubles/engine/electron.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const PLACES = { renderer: freshFolder(), preload: '/p/preload.cjs', engine: '/p/engine.ts' }

async function opened(userData: string) {
  const electron = doubleElectron({ userData })
  await startShell(electron.api, PLACES)
  const [window] = electron.windows
  return { electron, window: window! }
}

test('it opens where it was closed, maximised if it was', async () => {
  const folder = freshFolder()
  const first = await opened(folder)
  expect(first.window.options).toMatchObject({ width: 1280, height: 860 })
  expect(first.window.options).not.toHaveProperty('x')
  first.window.bounds = { x: 300, y: 40, width: 900, height: 600 }
  first.window.isLarge = true
  first.window.emit('close')
  expect(statSync(join(folder, 'window.json')).mode & 0o777).toBe(0o600)
  const { window } = await opened(folder)
  expect(window.options).toMatchObject({ x: 300, y: 40, width: 900, height: 600 })
  window.emit('ready-to-show')
  expect([window.isShown, window.isLarge]).toEqual([false, true])
})

test.each([
  ['on a display that is gone', { x: 2500, y: 0, width: 900, height: 600, isMaximised: false }],
  ['above every display', { x: 10, y: -50, width: 900, height: 600, isMaximised: false }],
  ['too small to use', { x: 0, y: 0, width: 1, height: 1, isMaximised: false }],
  ['not what was written', 'nonsense'],
])('a place %s is not taken', async (_, kept) => {
  const folder = freshFolder()
  writeFileSync(join(folder, 'window.json'), JSON.stringify(kept))
  const { window } = await opened(folder)
  expect(window.options).toMatchObject({ width: 1280, height: 860 })
  window.emit('ready-to-show')
  expect([window.isShown, window.isLarge]).toEqual([true, false])
})

test('where it cannot be kept, it closes all the same', async () => {
  const folder = freshFolder()
  writeFileSync(join(folder, 'file'), '')
  const { window } = await opened(join(folder, 'file'))
  window.emit('close')
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('')
})

test('the menu has nothing that opens a page, a file or developer tools', async () => {
  const { electron } = await opened(freshFolder())
  const text = JSON.stringify(electron.menus)
  expect(text).toContain('"editMenu"')
  expect(text).not.toMatch(/devtools|viewMenu|help|reload|click/iu)
})
