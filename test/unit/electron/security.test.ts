/** @file The ten items of Electron's security list that this application promises, one test each, under a double that fails on insecure options. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FuseV1Options } from '@electron/fuses'
import { beforeEach, describe, expect, test } from 'vitest'
import forge, { FUSES } from '../../../forge.config.ts'
import { CALL, DROP, FEED } from '../../../electron/relay.ts'
import { startShell } from '../../../electron/shell.ts'
import { HANDLE } from '../../../evals/contract/desktop.ts'
import { plainText } from '../../../evals/document/plain-text.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import {
  DoubleContents,
  doubleElectron,
  type DoubleElectron,
} from '../../doubles/engine/electron.ts'
import { filesUnder, importsOf, ROOT, textOf } from '../../doubles/imports.ts'

let electron: DoubleElectron
let renderer: string

beforeEach(async () => {
  renderer = join(freshFolder(), 'dist')
  mkdirSync(join(renderer, 'assets'), { recursive: true })
  writeFileSync(join(renderer, 'index.html'), '<title>Window</title>')
  writeFileSync(join(renderer, '..', 'secret.html'), 'outside')
  symlinkSync(join(renderer, '..', 'secret.html'), join(renderer, 'linked.html'))
  electron = doubleElectron()
  await startShell(electron.api, { renderer, preload: '/p/preload.cjs', engine: '/p/engine.ts' })
})

const OURS = { url: 'app://touchstone/index.html', parent: null }
const ask = (name: string, input: unknown, senderFrame: unknown = OURS) =>
  electron.ipc.get(CALL)!({ senderFrame }, { name, input }) as Promise<{
    ok: boolean
    value: never
    error: { code: string }
  }>
const page = (url: string) => electron.protocols.get('app')!({ url })

test('1 every window is sandboxed, isolated and without Node; the double refuses any other', () => {
  expect(electron.windows).toHaveLength(1)
  expect(electron.app.isSandboxed).toBe(true)
  expect(electron.windows[0]!.options.webPreferences).toMatchObject({ preload: '/p/preload.cjs' })
  const Window = electron.api.BrowserWindow
  expect(() => new Window({ webPreferences: { sandbox: false } })).toThrow('insecure')
  const made = filesUnder('electron/*.ts').filter((path) =>
    textOf(path).includes('new BrowserWindow('),
  )
  expect(made).toEqual(['electron/shell.ts'])
})

test('2 pages come from app:// alone, and no address leads out of the built window', async () => {
  expect(electron.windows[0]!.loaded).toEqual(['app://touchstone/index.html'])
  expect(await page('app://touchstone/').text()).toContain('Window')
  for (const path of [
    ...['../secret.html', '%2e%2e/secret.html', 'assets/../../secret.html', '..%2fsecret.html'],
    ...['linked.html', '/etc/passwd', 'index.html/../../secret.html', 'INDEX.HTML'],
  ]) {
    const found = page(`app://touchstone/${path}`)
    expect(found.status, path).toBe(404)
    expect(await found.text(), path).not.toContain('outside')
  }
  expect(page('app://other/index.html').status).toBe(404)
})

test('3 the policy comes by header and lets nothing be fetched; a request that leaves is cancelled', () => {
  for (const path of ['index.html', 'nothing.html']) {
    const policy = page(`app://touchstone/${path}`).headers.get('Content-Security-Policy')!
    expect(policy).toMatch(/^default-src 'self'; connect-src 'none';/)
    // A picture that the page drew is its own, and is fetched from nowhere.
    const others = policy.split('; ').filter((each) => each !== "img-src 'self' blob:")
    expect(others.join('; ')).not.toMatch(/unsafe|\*|data:|blob:|img-src/)
  }
  const cancels = (url: string) => {
    let answer: { cancel: boolean } | undefined
    electron.session.request!({ url }, (given: { cancel: boolean }) => (answer = given))
    return answer!.cancel
  }
  expect(cancels('app://touchstone/assets/main.js')).toBe(false)
  for (const url of [
    'https://example.org/',
    'http://127.0.0.1/',
    'file:///etc/passwd',
    'app://touchstone.evil/x',
  ]) {
    expect(cancels(url), url).toBe(true)
  }
})

describe('4 the preload and its channel', () => {
  test('two functions are exposed, and nothing of ipcRenderer', () => {
    const text = textOf('electron/preload.ts')
    expect(text.match(/exposeInMainWorld/g)).toHaveLength(1)
    expect(text).toContain(`'${CALL}'`)
    expect(text).toContain(`'${FEED}'`)
    expect(text).toContain(`'${DROP}'`)
    expect(importsOf('electron/preload.ts').map(({ to }) => to)).toEqual(['electron'])
  })

  test('only the top of our own page is answered', async () => {
    for (const frame of [
      null,
      { url: 'https://example.org/', parent: null },
      { url: 'app://touchstone.evil/index.html', parent: null },
      { url: 'app://touchstone/index.html', parent: OURS },
      { url: 'file:///index.html', parent: null },
    ]) {
      expect(await ask('run.list', {}, frame)).toMatchObject({
        ok: false,
        error: { code: 'usage.message' },
      })
    }
    expect(electron.engines[0]!.posted).toEqual([])
  })

  test('messages that are no calls, or too large, go no further', async () => {
    const handler = electron.ipc.get(CALL)!
    for (const message of [undefined, 7, {}, { name: 7 }, { name: 'x'.repeat(200), input: {} }]) {
      expect(await handler({ senderFrame: OURS }, message)).toMatchObject({ ok: false })
    }
    expect(await ask('run.list', { text: 'x'.repeat(2 ** 20) })).toMatchObject({ ok: false })
    expect(await ask('desktop.pick', { kind: 'anything' })).toMatchObject({ ok: false })
    expect(electron.engines[0]!.posted).toEqual([])
    expect([...electron.ipc.keys()].sort()).toEqual([CALL, DROP])
  })
})

test('5 no new windows, no way elsewhere, no webviews, no permissions, no downloads', () => {
  const contents = new DoubleContents()
  electron.app.emit('web-contents-created', {}, contents)
  expect(contents.opens!({ url: 'https://example.org' })).toEqual({ action: 'deny' })
  for (const name of ['will-navigate', 'will-redirect', 'will-attach-webview']) {
    let isPrevented = false
    contents.emit(name, { preventDefault: () => (isPrevented = true) })
    expect(isPrevented, name).toBe(true)
  }
  let isAllowed: unknown
  electron.session.permission!({}, 'camera', (answer: unknown) => (isAllowed = answer))
  expect([isAllowed, electron.session.check!(), electron.session.device!()]).toEqual([
    false,
    false,
    false,
  ])
  let isStopped = false
  electron.session.emit('will-download', { preventDefault: () => (isStopped = true) })
  expect(isStopped).toBe(true)
  const text = filesUnder('electron/*.ts')
    .map((path) => textOf(path))
    .join('')
  expect(text).not.toMatch(/openExternal|openPath/)
})

test('6 text of models is shown as text: no file of the window sets HTML, and terminals get none of its controls', () => {
  const window = filesUnder('renderer/**/*.{ts,vue}')
  expect(window.length).toBeGreaterThan(10)
  const pattern =
    /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|new Function|\beval\(/
  expect(pattern.test('<p v-html="reply" />')).toBe(true)
  expect(window.filter((path) => pattern.test(textOf(path)))).toEqual([])
  expect(plainText('a\u001b[31mb\u001b]0;title\u0007c')).toBe('abc')
})

test('7 every fuse is set, and those that would open a way in are off', () => {
  const names = Object.values(FuseV1Options).filter((value) => typeof value === 'number')
  expect(names.every((fuse) => fuse in FUSES)).toBe(true)
  expect(FUSES).toMatchObject({
    strictlyRequireAllFuses: true,
    [FuseV1Options.RunAsNode]: false,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: false,
    [FuseV1Options.EnableCookieEncryption]: true,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
    [FuseV1Options.OnlyLoadAppFromAsar]: true,
    [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  })
  expect(forge.rebuildConfig).toEqual({ onlyModules: [] })
})

test('8 the engine is a process of its own: when it dies the window is told, its questions are answered, and there is a new one', async () => {
  const [engine] = electron.engines
  const waiting = ask('run.list', {})
  await new Promise(setImmediate)
  expect(engine!.posted).toEqual([{ id: 1, ask: { name: 'run.list', input: {} } }])
  engine!.emit('exit', 9)
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'engine.process-died' } })
  const states = () =>
    electron.windows[0]!.webContents.sent.map(([, message]) => (message as { body: unknown }).body)
  expect(states()).toEqual([{ type: 'engine', state: 'lost' }])
  while (electron.engines.length < 2) await new Promise((r) => setTimeout(r, 20))
  expect(electron.engines).toHaveLength(2)
  expect(states().at(-1)).toEqual({ type: 'engine', state: 'back' })
})

test('9 nothing is updated, sent or signed in to by itself', () => {
  const text = filesUnder('electron/*.ts')
    .map((path) => textOf(path))
    .join('')
  expect(text).not.toMatch(/autoUpdater|submitURL|safeStorage|https:\/\/|\bfetch\(|net\.request/)
  expect(electron.started).toEqual([{ uploadToServer: false }])
})

test('10 a picked path stays with the shell; the window has a handle, and the window cannot look through the disk', async () => {
  const { value } = await ask('desktop.pick', { kind: 'model' })
  const { handle, name } = value as { handle: string; name: string }
  expect(name).toBe('model.gguf')
  expect(handle).toMatch(HANDLE)
  expect(JSON.stringify(value)).not.toContain('/home/ada')
  void ask('model.add', { path: handle })
  await new Promise(setImmediate)
  expect(electron.engines[0]!.posted).toEqual([
    { id: 1, ask: { name: 'model.add', input: { path: '/home/ada/model.gguf' } } },
  ])
  expect(await ask('file.list', { path: '/' })).toMatchObject({ ok: false })
})

test('11 what is dropped or named at a start reaches the window as handles, once, and only from our own page', async () => {
  const drop = electron.ipc.get(DROP)!
  for (const [frame, paths] of [
    [{ url: 'https://example.org/', parent: null }, ['/home/ada/evil']],
    [OURS, 'no list'],
    [OURS, [7]],
    [OURS, Array(21).fill('/home/ada/many')],
  ] as const)
    drop({ senderFrame: frame }, paths)
  expect(await ask('desktop.opened', {})).toEqual({ ok: true, value: [] })
  drop({ senderFrame: OURS }, ['/home/ada/release.touchstone'])
  electron.app.emit('second-instance', {}, ['touchstone', '--flag', 'electron', 'gone'], ROOT)
  const { value } = (await ask('desktop.opened', {})) as {
    value: { handle: string; name: string }[]
  }
  expect(value.map(({ name }) => name)).toEqual(['release.touchstone', 'electron'])
  for (const { handle } of value) expect(handle).toMatch(HANDLE)
  void ask('signed.verify', { folder: value[0]!.handle })
  await new Promise(setImmediate)
  expect(electron.engines[0]!.posted).toEqual([
    { id: 1, ask: { name: 'signed.verify', input: { folder: '/home/ada/release.touchstone' } } },
  ])
  expect(await ask('desktop.opened', {})).toEqual({ ok: true, value: [] })
})

test('what macOS opens it with before there is a window is not lost', async () => {
  const other = doubleElectron()
  const start = startShell(other.api, { renderer, preload: '', engine: '' })
  let isPrevented = false
  other.app.emit('open-file', { preventDefault: () => (isPrevented = true) }, '/home/ada/a.gguf')
  await start
  const answer = await other.ipc.get(CALL)!(
    { senderFrame: OURS },
    { name: 'desktop.opened', input: {} },
  )
  expect([isPrevented, answer]).toMatchObject([true, { value: [{ name: 'a.gguf' }] }])
})

test('a second start opens nothing', async () => {
  const second = doubleElectron({ isFirst: false })
  await startShell(second.api, { renderer, preload: '', engine: '' })
  expect([second.windows.length, second.engines.length, second.app.quits]).toEqual([0, 0, 1])
})

test('the shell is thin', () => {
  for (const path of ['electron/main.ts', 'electron/shell.ts', 'electron/preload.ts']) {
    expect(textOf(path).split('\n').length, path).toBeLessThanOrEqual(150)
  }
})
