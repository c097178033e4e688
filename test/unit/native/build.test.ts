/** @file `npm run build:native` and the loader: what is missing is said in a sentence with its remedy, and what does not fit is not loaded. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sourcesDigest, thisProcessor } from '../../../evals/native/addon.ts'
import { FALLBACK } from '../../../evals/native/fallback.ts'
import { misfit, numericsOf } from '../../../evals/native/load.ts'
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
  const here = { sources: sourcesDigest(), processor: thisProcessor() }

  test('takes what was built here from these sources', () => {
    expect(misfit({ sources: here.sources!, processor: here.processor })).toBeUndefined()
  })

  test('refuses another processor’s and another source’s, and knows no sources in a package', () => {
    const stamp = { sources: here.sources!, processor: here.processor }
    expect(misfit({ ...stamp, processor: 'another' })).toContain('another processor')
    expect(misfit({ ...stamp, sources: 'another' })).toContain('other sources')
    expect(
      misfit({ ...stamp, sources: 'another' }, { ...here, sources: undefined }),
    ).toBeUndefined()
  })

  test('without an addon the arithmetic is the specification', () => {
    expect(numericsOf(undefined)).toBe(FALLBACK)
  })
})
