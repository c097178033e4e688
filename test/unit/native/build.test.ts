/** @file `npm run build:native` and the loader: what is missing is said in a sentence with its remedy, and what does not fit is not loaded. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ADDON, sourcesDigest } from '../../../evals/native/addon.ts'
import { FALLBACK } from '../../../evals/native/fallback.ts'
import { isOutdated, numericsOf } from '../../../evals/native/load.ts'
import { obstacleOf } from '../../../native/build.ts'

const SCRIPT = join(import.meta.dirname, '../../../native/build.ts')

test('without a compiler it ends with code 1 and two lines', () => {
  const env = { ...process.env, CXX: '/nowhere/c++' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], {
    encoding: 'utf8',
    env,
  })
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(
    /^The native path was not built: there is no C\+\+ compiler .*\n.*g\+\+.*\n$/,
  )
})

describe('a missing header', () => {
  const gcc = (header: string) =>
    `linear.cc:3:10: fatal error: ${header}: No such file or directory\n`

  test.each([
    [gcc('Eigen/Dense'), 'libeigen3-dev'],
    [gcc('onnxruntime_c_api.h'), 'libonnxruntime-dev'],
    [gcc('node_api.h'), 'npm ci'],
    ["linear.cc:3:10: fatal error: 'Eigen/Dense' file not found\n", 'libeigen3-dev'],
  ])('%s: %s', (told, remedy) => {
    expect(obstacleOf(told).remedy).toContain(remedy)
    expect(obstacleOf(told).problem).toMatch(/missing\.$/)
  })

  test('anything else is the compiler’s own message', () => {
    expect(obstacleOf('error: expected ;').problem).toContain('above')
  })
})

describe('the loader', () => {
  test('takes what was built from these sources, refuses others, and knows no sources in a package', () => {
    expect(isOutdated({ sources: sourcesDigest()! })).toBe(false)
    expect(isOutdated({ sources: 'another' })).toBe(true)
    expect(isOutdated({ sources: 'another' }, { sources: undefined })).toBe(false)
  })

  test('without an addon the arithmetic is the specification', () => {
    expect(numericsOf(undefined)).toBe(FALLBACK)
  })
})

const objdump = (...options: string[]) =>
  spawnSync('objdump', [...options, ADDON], { encoding: 'utf8', maxBuffer: 2 ** 28 })
const isReadable =
  process.arch === 'x64' && existsSync(ADDON) && !spawnSync('objdump', ['--version']).error

describe.skipIf(!isReadable)('the binary (skipped unless built for x64, with objdump)', () => {
  test('what a processor may lack stays in the namespace of its set of instructions', () => {
    const lines = objdump('--disassemble', '--no-show-raw-insn', '--demangle').stdout.split('\n')
    const owners = { ymm: new Set<string>(), zmm: new Set<string>() }
    let owner = ''
    for (const line of lines) {
      const begun = /^[0-9a-f]+ <(?<name>.*)>:$/.exec(line)?.groups!['name']
      if (begun !== undefined) owner = begun
      else if (line.includes('%zmm')) owners.zmm.add(owner)
      else if (/%ymm|\tvfn?m(?:add|sub)|\tvcvtp[sh]/.test(line)) owners.ymm.add(owner)
    }
    expect(owners.zmm.size).toBeGreaterThan(0)
    expect([...owners.zmm].filter((name) => !name.includes('avx512'))).toEqual([])
    expect([...owners.ymm].filter((name) => !/avx512|avx2/.test(name))).toEqual([])
  })

  test.runIf(process.platform === 'linux')('it needs the C library and no other', () => {
    const needed = [...objdump('--private-headers').stdout.matchAll(/NEEDED\s+(\S+)/g)]
    const others = needed
      .map((each) => each[1]!)
      .filter((name) => !/^(?:lib[cm]|ld-linux)/.test(name))
    expect(others).toEqual([])
  })
})
