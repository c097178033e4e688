/** @file ONNX Runtime's telemetry: it is on by itself, off in every process of ours, and what it left is removed once. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { removeLeftovers, telemetryFolder } from '../../../evals/runtime/telemetry.ts'
import { checkTelemetry } from '../../../evals/runs/checks/telemetry-check.ts'
import { filesUnder, importsOf, ROOT } from '../../doubles/imports.ts'

const home = mkdtempSync(join(tmpdir(), 'touchstone-telemetry-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** A process as a user starts it: ONNX Runtime sends nothing on a machine that says it is a CI's. */
function started(name: string, script: string, words: readonly string[] = []) {
  const cache = join(home, name)
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script]
  const { status, stderr } = spawnSync(process.execPath, words.length > 0 ? words : args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CACHE_HOME: cache,
      ORT_DISABLE_TELEMETRY: '0',
    },
  })
  expect(status, stderr).toBe(0)
  return existsSync(join(cache, 'Microsoft'))
}

describe.runIf(process.platform === 'linux')('telemetry of ONNX Runtime (Linux)', () => {
  test('the package alone writes an identifier and a queue: what is tested below can fail', () => {
    const opens =
      "import ort from 'onnxruntime-node'; await ort.InferenceSession.create(new Uint8Array(1)).catch(() => {})"
    expect(started('alone', opens)).toBe(true)
  })

  test('through our module it writes nothing, whatever the environment says', () => {
    const ours =
      "import ort from './evals/runtime/onnxruntime.ts'; await ort.InferenceSession.create(new Uint8Array(1)).catch(() => {})"
    expect(started('ours', ours)).toBe(false)
  })

  test('an evaluation by the command line and doctor write nothing', () => {
    const cli = join(ROOT, 'evals', 'bin', 'touchstone.js')
    const out = join(home, 'out')
    expect(started('doctor', '', [cli, 'doctor', '--device', 'cpu'])).toBe(false)
    const words = ['eval', '--model', 'pebble', '--limit', '2', '--out-dir', out, '--quiet']
    expect(started('eval', '', [cli, ...words])).toBe(false)
  }, 120_000)
})

test('no other file imports the package', () => {
  const importing = filesUnder('evals/**/*.ts', 'native/**/*.ts', 'electron/**/*.ts')
    .flatMap((path) => importsOf(path))
    .filter(({ to }) => to === 'onnxruntime-node')
    .map(({ from }) => from)
  expect(importing).toEqual(['evals/runtime/onnxruntime.ts'])
})

test('what earlier versions left is removed once; what another program writes later stays', () => {
  const [folder, cache] = [join(home, 'left'), join(home, 'left-cache')]
  const queue = () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'onnxruntime.db'), 'events')
  }
  queue()
  expect(checkTelemetry(folder).status).toBe('warn')
  expect(removeLeftovers(folder, cache)).toBe('removed')
  expect(existsSync(folder)).toBe(false)
  expect(checkTelemetry(folder).status).toBe('ok')
  queue()
  expect(removeLeftovers(folder, cache)).toBe('nothing')
  expect(existsSync(folder)).toBe(true)
})

test('the folder follows the user’s cache, and only Linux has one', () => {
  expect(telemetryFolder({ XDG_CACHE_HOME: '/c' }, 'linux', '/h')).toBe(
    '/c/Microsoft/DeveloperTools/.onnxruntime',
  )
  expect(telemetryFolder({}, 'linux', '/h')).toBe('/h/.cache/Microsoft/DeveloperTools/.onnxruntime')
  expect(telemetryFolder({}, 'win32', 'C:')).toBeUndefined()
})
