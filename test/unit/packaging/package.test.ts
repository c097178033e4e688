/** @file The package before it is built: what it needs, under which licences, and that its sources run as JavaScript. The built one: test/long/installed.test.ts. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkFiles, checkPackages } from '../../../evals/runs/checks/installed.ts'
import { forbidden } from '../../../packaging/notices.ts'
import { installedParts, manifest } from '../../../packaging/parts.ts'
import { filesUnder, ROOT, textOf } from '../../doubles/imports.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

describe('what is installed', () => {
  const parts = installedParts()

  test('the packages that the sources import, the packaged Nodes, and all that these need', () => {
    const names = parts.map(({ name }) => name)
    const { dependencies, optionalDependencies } = manifest()
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      expect(names).toContain(name)
    // Needed by onnx-proto alone.
    expect(names).toContain('protobufjs')
    expect(
      names.filter((name) => /^(?:vue|pinia|electron|vitest|typescript)$/u.test(name)),
    ).toEqual([])
  })

  test('every licence is on the list, and one that is not is seen', () => {
    expect(forbidden(parts)).toEqual([])
    const planted = { name: 'planted', version: '1.0.0' }
    expect(forbidden([{ ...planted, license: '(MIT OR GPL-3.0)' }])).toEqual([])
    expect(forbidden([{ ...planted, license: 'AGPL-3.0-only' }])).toEqual([
      'planted 1.0.0: AGPL-3.0-only',
    ])
  })

  test('the lockfile names no host: packages come from wherever npm is told to', () => {
    expect(textOf('package-lock.json')).not.toContain('"resolved":')
  })

  test('each has its reason on the page of decisions', () => {
    const page = textOf('docs/decisions/packaging.md')
    const { dependencies, optionalDependencies } = manifest()
    const named = Object.keys({ ...dependencies, ...optionalDependencies })
    expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})

test('no source names another by its ending but in an import, which the build rewrites', () => {
  const isNamed = (line: string) =>
    /['"`][\w./-]+\.ts['"`]/u.test(line) && !/\bfrom '|import\(|^import '/u.test(line)
  expect(isNamed("new Worker(new URL('./a-thread.ts', import.meta.url))")).toBe(true)
  const found = filesUnder('evals/**/*.ts').flatMap((path) =>
    textOf(path)
      .split('\n')
      .filter((line) => !/^\s*(?:\*|\/\/|\/\*\*)/u.test(line) && isNamed(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})

describe('an installation', () => {
  test('the launcher finds the packaged Node beside it, where npm puts it', () => {
    const modules = join(freshFolder(), 'node_modules')
    const bin = join(modules, 'touchstone', 'evals', 'bin')
    for (const name of ['launcher.js', 'touchstone.js'])
      cpSync(join(ROOT, 'evals', 'bin', name), join(bin, name))
    write(join(modules, 'touchstone', 'package.json'), '{"type": "module"}')
    write(join(bin, 'cli.js'), 'console.log("built", process.env.NODE_COMPILE_CACHE)')
    const folder = `node-${process.platform}-${process.arch}`
    write(join(modules, folder, 'package.json'), '{}')
    // Not a Node: what is started must be this file.
    const program = join(modules, folder, 'bin', 'node')
    write(program, `#!/bin/sh\necho packaged\nshift\nexec '${process.execPath}' "$@"\n`)
    spawnSync('chmod', ['+x', program])
    const { stdout, stderr } = spawnSync(process.execPath, [join(bin, 'touchstone.js')], {
      encoding: 'utf8',
      env: { ...process.env, NODE_COMPILE_CACHE: undefined },
    })
    expect(stdout, stderr).toBe(`packaged\nbuilt ${join(modules, '.cache', 'touchstone')}\n`)
  })

  test('its install script empties ONNX Runtime’s, and nothing else', () => {
    const modules = join(freshFolder(), 'node_modules')
    const runtime = join(modules, 'onnxruntime-node')
    write(join(runtime, 'package.json'), '{"name": "onnxruntime-node"}')
    write(join(runtime, 'script', 'install.js'), 'process.exit(1)')
    write(join(modules, 'touchstone', 'package.json'), '{"type": "module"}')
    const script = join(modules, 'touchstone', 'before-install.js')
    cpSync(join(ROOT, 'packaging/install/before-install.js'), script)
    const status = (path: string) => spawnSync(process.execPath, [path]).status
    expect(status(join(runtime, 'script', 'install.js'))).toBe(1)
    expect(status(script)).toBe(0)
    expect(status(join(runtime, 'script', 'install.js'))).toBe(0)
    expect(readFileSync(join(runtime, 'package.json'), 'utf8')).toContain('onnxruntime-node')
  })

  test('a file that changed and one that is gone are found', async () => {
    const root = freshFolder()
    const list = join(root, 'files.json')
    write(join(root, 'kept.txt'), 'a')
    write(join(root, 'changed.txt'), 'b')
    const digest = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'
    write(list, JSON.stringify({ 'kept.txt': digest }))
    expect(await checkFiles(root, list)).toMatchObject({ status: 'ok' })
    write(list, JSON.stringify({ 'kept.txt': digest, 'changed.txt': digest, 'gone.txt': digest }))
    expect(await checkFiles(root, list)).toMatchObject({
      status: 'fail',
      detail: '2 missing or changed: changed.txt, gone.txt',
    })
  })

  test('a package in another version, and one that is missing, are found', () => {
    const root = join(freshFolder(), 'node_modules', 'touchstone')
    write(join(root, 'package.json'), '{"dependencies": {"one": "1.0.0"}}')
    write(join(root, '..', 'one', 'package.json'), '{"version": "1.0.0"}')
    expect(checkPackages(root)).toMatchObject({ status: 'ok' })
    write(
      join(root, 'package.json'),
      '{"dependencies": {"one": "1.0.1", "never-published-two": "2.0.0"}}',
    )
    expect(checkPackages(root)).toMatchObject({
      status: 'fail',
      detail: 'one 1.0.0, not 1.0.1; never-published-two is missing, not 2.0.0',
    })
  })
})
