/** @file Verbs that only read: ls, report, doctor, help. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  checkMemory,
  checkNative,
  checkNode,
  int8Check,
  providerCheck,
  withLibrary,
} from '../../../evals/runs/checks/checks.ts'
import type { Addon } from '../../../evals/native/addon.ts'
import { BUILD_REMEDY } from '../../../evals/native/load.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const real = (...argv: string[]) => runCommand(argv, {}, COMMANDS)

async function folderWithRuns(): Promise<string> {
  const folder = freshFolder()
  await runCommand(['audit', '--model', 'one', '--kept', '0', '--out-dir', folder])
  await runCommand(['audit', '--model', 'two', '--fail-at', '1', '--out-dir', folder])
  return folder
}

interface Listed {
  id: string
  outcome: string
  verdict: string | null
  title: string
}

const listed = async (folder: string) =>
  JSON.parse((await real('ls', '--out-dir', folder, '--json')).stdout) as Listed[]

describe('ls', () => {
  test('says kind, outcome and verdict of every run', async () => {
    const folder = await folderWithRuns()
    const runs = await listed(folder)
    expect(runs).toMatchObject([
      { kind: 'audit', title: 'A fake audit of one', outcome: 'done', verdict: 'FAIL', folder },
      { kind: 'audit', title: 'A fake audit of two', outcome: 'failed', verdict: null, folder },
    ])
    const { stdout } = await real('ls', '--out-dir', folder)
    const rows = stdout.trimEnd().split('\n')
    expect(rows).toHaveLength(3)
    expect(rows[1]).toMatch(/^audit-\S+ +audit .* done +FAIL /)
  })

  test('creates nothing where nothing is', async () => {
    const folder = freshFolder()
    const { code, stderr } = await real('ls', '--out-dir', folder)
    expect(code).toBe(1)
    expect(stderr).toContain('There is no database')
    expect(readdirSync(folder)).toEqual([])
  })

  test('a file that is no database is an error with a remedy', async () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'touchstone.db'), 'not a database '.repeat(100))
    const { code, stderr } = await real('ls', '--out-dir', folder)
    expect(code).toBe(1)
    expect(stderr).toContain('cannot be used')
  })
})

describe('report', () => {
  test('gives the reports again byte for byte', async () => {
    const folder = freshFolder()
    await runCommand(['audit', '--model', 'any', '--out-dir', folder])
    const paths = ['results.json', 'report.html'].map((name) => join(folder, name))
    const before = paths.map((path) => readFileSync(path))
    paths.forEach((path) => rmSync(path))
    expect((await real('report', '--out-dir', folder)).code).toBe(0)
    expect(paths.map((path) => readFileSync(path))).toEqual(before)
  })

  test('of a named run writes that run', async () => {
    const folder = await folderWithRuns()
    const [first] = await listed(folder)
    const copy = join(folder, 'copy.json')
    const ran = await real('report', first!.id, '--out-dir', folder, '-o', copy, '--json')
    expect(JSON.parse(ran.stdout)).toMatchObject({ runId: first!.id, verdict: 'FAIL' })
    expect(readFileSync(copy, 'utf8')).toContain(first!.id)
  })

  test('without a run or a folder is a wrong command; an unknown run is an error', async () => {
    expect((await real('report')).code).toBe(2)
    const unknown = await real('report', 'audit-0', '--out-dir', await folderWithRuns())
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('There is no run "audit-0"')
  })
})

describe('doctor', () => {
  const script = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')

  test('as a real process, prints JSON alone and succeeds where the CPU works', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'doctor', '--json'], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    const { checks, isUsable } = JSON.parse(stdout) as {
      isUsable: boolean
      checks: { name: string; status: string }[]
    }
    expect(checks.map(({ name }) => name)).toEqual([
      'node',
      'onnxruntime',
      'cpu',
      'int8',
      'cuda',
      'webgpu',
      'native',
      'cores',
      'memory',
      'database',
      'disk',
      'telemetry',
    ])
    const statusOf = (name: string) => checks.find((check) => check.name === name)!.status
    expect(['node', 'onnxruntime', 'cpu', 'database'].map(statusOf)).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
    ])
    expect([isUsable, status]).toEqual([true, 0])
  })

  test('runs where ONNX Runtime cannot be loaded, and says so', () => {
    const hook = join(freshFolder(), 'no-onnxruntime.mjs')
    writeFileSync(
      hook,
      `import { registerHooks } from 'node:module'
       registerHooks({ resolve(name, context, next) {
         if (name === 'onnxruntime-node') throw new Error('made up: no library')
         return next(name, context)
       } })`,
    )
    const { status, stdout } = spawnSync(process.execPath, [script, 'doctor', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--import ${hook}` },
    })
    const { checks } = JSON.parse(stdout) as { checks: { name: string; detail: string }[] }
    expect(status).toBe(1)
    expect(checks.find(({ name }) => name === 'onnxruntime')!.detail).toContain('made up')
  })

  test('names the one command that adds CUDA only where an NVIDIA card is', () => {
    const probe = { name: 'cuda', usable: false, why: 'no library', cudaRemedy: 'Run that.' }
    const isLinux = process.platform === 'linux'
    expect(providerCheck(probe, true)).toMatchObject({
      status: 'warn',
      remedy: isLinux ? 'Run that.' : null,
    })
    expect(providerCheck(probe, false)).toMatchObject({ status: 'warn', remedy: null })
    expect(providerCheck({ ...probe, name: 'cpu' }, true).status).toBe('fail')
  })

  test('a provider that cannot be opened names the library that it misses', () => {
    const probe = { name: 'cuda', usable: false, why: 'Failed to load shared library' }
    const told =
      'Failed to load library /x/libfoo.so with error: /x/libfoo.so.1: cannot open shared object file: No such file'
    expect(withLibrary(probe, told).why).toBe('the library libfoo.so.1 is missing')
    expect(withLibrary(probe, 'something else')).toBe(probe)
    const usable = { ...probe, usable: true }
    expect(withLibrary(usable, told)).toBe(usable)
  })

  test('a processor that cuts sums of int8 off is told what it cannot have, and one that was not asked nothing', () => {
    expect(int8Check({ sumsInt8: true })).toMatchObject([{ name: 'int8', status: 'ok' }])
    expect(int8Check({ sumsInt8: false })).toMatchObject([
      { status: 'warn', detail: expect.stringContaining('--forward int8 is refused') as string },
    ])
    expect(int8Check({})).toEqual([])
  })

  test('an old Node fails, little memory warns', () => {
    expect(checkNode('20.20.2').status).toBe('fail')
    expect(checkNode('26.10.0').status).toBe('ok')
    expect(checkMemory(2 ** 30, 2 ** 29).status).toBe('warn')
  })

  test('the native path is one line: which instructions run, or what builds it', () => {
    const known = { instructions: () => 'avx2', knownInstructions: () => ['avx2', 'baseline'] }
    const detail = 'built; runs avx2 of avx2, baseline'
    expect(checkNative({ addon: known as Addon })).toMatchObject({ status: 'ok', detail })
    const absent = checkNative({ why: 'it is not built', remedy: BUILD_REMEDY })
    expect(absent).toMatchObject({ status: 'warn', remedy: BUILD_REMEDY })
    expect(absent.detail).toMatch(/^it is not built; /)
  })
})

describe('help and version', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])('%j lists the verbs', async (argv) => {
    const { code, stdout, stderr } = await real(...argv)
    expect([code, stderr]).toEqual([0, ''])
    for (const { name } of COMMANDS) expect(stdout).toContain(`\n  ${name} `)
  })

  test.each([[['audit', '--help']], [['help', 'audit']], [['audit', '--model', 'm', '-h']]])(
    '%j is the help of the verb, with defaults and bounds',
    async (argv) => {
      const { code, stdout } = await real(...argv)
      expect(code).toBe(0)
      expect(stdout).toContain('Usage: touchstone audit [options]')
      expect(stdout).toMatch(/--batch-size N .*\(from 1 to 4096; default 8\)/)
      expect(stdout).toMatch(/--eval-batch-size N/)
    },
  )

  test('--version is the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await real('--version')).toMatchObject({ code: 0, stdout: `${version}\n` })
  })
})

describe('commands that ask for nothing', () => {
  test.each([
    ['audit --model m', 'There is nothing to audit'],
    ['audit --model m --methods lora', 'no data'],
    ['train --model m --data d', '--methods is missing.'],
    ['train --model m --methods lora', '--data is missing.'],
    ['spectral --model m', '--candidate is missing'],
    ['eval', '--model is missing.'],
  ])('%s is a wrong command, and leaves nothing behind', async (line, said) => {
    const folder = join(freshFolder(), 'out')
    const { code, stderr } = await real(...line.split(' '), '--out-dir', folder)
    expect(code).toBe(2)
    expect(stderr).toContain(said)
    mkdirSync(folder)
  })
})
