/**
 * @file What a user installs: the package is built, installed into empty folders with npm (from a registry or npm's cache, with
 * and without install scripts), and used from there. Needs TOUCHSTONE_LONG.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, test } from 'vitest'
import { ROOT, textOf } from '../doubles/imports.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { IS_LONG } from '../doubles/tier.ts'

const run = (program: string, words: readonly string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // Nothing of the clone: neither its packages nor what npm tells a script.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  return { status, stdout, stderr }
}
const node = (...words: string[]) => run(process.execPath, words, ROOT)
const tarball = () => globSync(join(ROOT, 'release', 'touchstone-0.*.tgz'))[0]!

/** Empty folders in which it was installed: with and without install scripts. */
const folders = { scripts: '', 'ignore-scripts': '' }
const modules = (name: keyof typeof folders) => join(folders[name], 'node_modules')
const touchstone = (folder: string, ...words: string[]) =>
  run(
    process.execPath,
    [join(folder, 'node_modules', 'touchstone', 'evals', 'bin', 'touchstone.js'), ...words],
    folder,
  )

beforeAll(() => {
  if (!IS_LONG) return
  const window = node(
    'node_modules/vite/bin/vite.js',
    'build',
    '--config',
    'renderer/vite.config.ts',
  )
  expect(window.status, window.stderr).toBe(0)
  const packed = node('packaging/pack.ts')
  expect(packed.status, packed.stderr).toBe(0)
  for (const name of ['scripts', 'ignore-scripts'] as const) {
    const folder = (folders[name] = freshFolder())
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    const flags = name === 'scripts' ? [] : ['--ignore-scripts']
    const installed = run('npm', ['install', tarball(), '--loglevel=error', ...flags], folder)
    expect(installed.status, installed.stderr).toBe(0)
  }
})

describe.runIf(IS_LONG)(IS_LONG ? 'installed' : 'installed (in npm run check:long)', () => {
  // That it is small enough is what packing ends with.
  test('the file holds no test, no fixture, no source and nothing to build with', () => {
    const files = globSync('**/*', { cwd: join(modules('scripts'), 'touchstone') })
    expect(files.filter((path) => /\.test\.|fixtures|(?<!\.d)\.ts$|\.vue$/u.test(path))).toEqual([])
    const names = globSync(['*', '@*/*'], { cwd: modules('scripts') })
    expect(names.filter((name) => /vue|pinia|vite|electron|typescript/u.test(name))).toEqual([])
  })

  test('no install script fetched anything', () => {
    for (const name of ['scripts', 'ignore-scripts'] as const)
      expect(globSync('**/*cuda*.so', { cwd: modules(name) })).toEqual([])
  })

  test('the bill of materials names what is installed and what is built in, each with its licence', () => {
    const read = (file: string) =>
      readFileSync(join(modules('scripts'), 'touchstone', file), 'utf8')
    const { components } = JSON.parse(read('sbom.cdx.json')) as {
      components: { name: string; version: string; licenses: unknown[] }[]
    }
    const found = new Map(components.map(({ name, version }) => [name, version]))
    const manifest = (path: string) =>
      JSON.parse(readFileSync(join(modules('scripts'), path), 'utf8')) as {
        name: string
        version: string
        dependencies: Record<string, string>
      }
    // What these need in turn may be newer than the lockfile's, within the range that they state.
    for (const [name, version] of Object.entries(manifest('touchstone/package.json').dependencies))
      expect([name, found.get(name)]).toEqual([name, version])
    for (const path of globSync(['*/package.json', '@*/*/package.json'], {
      cwd: modules('scripts'),
    }))
      expect([...found.keys(), 'touchstone']).toContain(manifest(path).name)
    expect(components.every(({ licenses }) => licenses.length > 0)).toBe(true)
    expect(found.has('@vue/runtime-core')).toBe(true)
    expect(read('THIRD-PARTY.md')).toMatch(/### chart\.js .*\n\nThe MIT License/u)
  })

  test.each(['scripts', 'ignore-scripts'] as const)('%s: whole, and evaluates', (name) => {
    const checked = touchstone(folders[name], 'check-install')
    expect(checked.status, checked.stdout + checked.stderr).toBe(0)
    expect(checked.stdout).toMatch(/✓ files +all \d{4} are as packed/u)
    expect(touchstone(folders[name], '--help').stdout).toContain('Verbs')
  })

  test('an audit says what it says in the clone', () => {
    const words = ['audit', '--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora']
    const size = ['--steps', '4', '--limit', '8', '--quiet', '--out-dir', 'out/audit']
    const here = touchstone(folders.scripts, ...words, ...size)
    const clone = freshFolder()
    const there = run(
      process.execPath,
      [join(ROOT, 'evals/bin/touchstone.js'), ...words, ...size],
      clone,
    )
    expect(here.stderr).toBe('')
    expect([here.status, here.stdout]).toEqual([there.status, there.stdout])
    expect(existsSync(join(folders.scripts, 'out/audit/report.html'))).toBe(true)
  })

  test('quickstart ends as the README shows', () => {
    const { stdout, stderr } = touchstone(folders['ignore-scripts'], 'quickstart')
    const [, shown] = /ends like\nthis:\n\n```\n(.*?)```/su.exec(textOf('README.md'))!
    const lines = shown!.split('\n').filter((line) => line.trim() !== '' && !/^\s*…$/u.test(line))
    expect(lines.length).toBeGreaterThan(15)
    for (const line of lines) expect(stdout, stderr).toContain(line)
  })

  test('the window is served', async () => {
    const command = join(modules('scripts'), 'touchstone', 'evals', 'bin', 'touchstone.js')
    const words = [command, 'serve', '--port', '0', '--json', '--out-dir', 'out']
    const child = spawn(process.execPath, words, { cwd: folders.scripts })
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { link } = JSON.parse(line) as { link: string }
        const page = await fetch(link)
        expect(page.status).toBe(200)
        expect(await page.text()).toContain('<div id="app">')
        // As the container asks whether its server lives.
        const health = /HEALTHCHECK .*CMD (?<words>\[.*\])/u.exec(textOf('Dockerfile'))!
        const ask = (port: string) => {
          const text = health.groups!['words']!.replace('8127', port)
          const [, ...words] = JSON.parse(text) as string[]
          return run(process.execPath, words, folders.scripts).status
        }
        expect([ask(new URL(link).port), ask('1')]).toEqual([0, 1])
        break
      }
    } finally {
      child.kill('SIGTERM')
    }
  })

  test('the five examples of docs/shipping/api.md hold their types and run', () => {
    const page = readFileSync(join(ROOT, 'docs/shipping/api.md'), 'utf8')
    const examples = [...page.matchAll(/```ts\n(?<code>.*?)```/gsu)].map(
      (each) => each.groups!['code']!,
    )
    expect(examples).toHaveLength(5)
    const files = examples.map((code, index) => {
      const path = join(folders.scripts, `example-${index}.ts`)
      writeFileSync(path, code)
      return path
    })
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024']
    const types = [
      '--module',
      'nodenext',
      '--types',
      'node',
      '--typeRoots',
      join(ROOT, 'node_modules/@types'),
    ]
    const checked = run(process.execPath, [tsc, ...flags, ...types, ...files], folders.scripts)
    expect(checked.stdout).toBe('')
    const said = files.map((path) => {
      const { status, stdout, stderr } = run(process.execPath, [path], folders.scripts)
      expect(status, stderr).toBe(0)
      return stdout
    })
    expect(said[0]).toMatch(/ of 2\n/u)
    expect(said[1]).toMatch(/(?:PASS|FAIL|INCONCLUSIVE) 10[01] /u)
    expect(said[2]).toBe('enough\n')
    expect(said[3]).toMatch(/ 2 0 0\n/u)
    expect(said[4]).toMatch(/^checkpoint\.not-found /u)
  })

  test('the addon is found where its package is beside it', ({ skip }) => {
    const [addon] = globSync(join(ROOT, 'release', `touchstone-native-*.tgz`))
    if (addon === undefined) return skip('npm run build:native -- --package was not run')
    const added = run(
      'npm',
      ['install', addon, '--loglevel=error', '--ignore-scripts'],
      folders['ignore-scripts'],
    )
    expect(added.status, added.stderr).toBe(0)
    expect(touchstone(folders['ignore-scripts'], 'doctor').stdout).toMatch(/✓ native +built; runs/u)
  })
})
