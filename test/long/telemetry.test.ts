/**
 * @file No telemetry, the library's neither: an audit of more than a minute, a sweep and a served session in a network namespace
 * with a resolver and collectors of ours ask for no name and open no connection. ONNX Runtime alone does, within a minute, so
 * the watch can see it. Needs root's unshare, mount and ip (Linux), and TOUCHSTONE_LONG.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ROOT } from '../doubles/imports.ts'

const isLong = Boolean(process.env['TOUCHSTONE_LONG'])
const canUnshare = () => spawnSync('unshare', ['-nm', 'ip', 'link', 'set', 'lo', 'up']).status === 0
const isReady = isLong && process.platform === 'linux' && canUnshare()
const why = isLong ? 'needs unshare and ip, and the right to use them' : 'in npm run check:long'

const home = mkdtempSync(join(tmpdir(), 'touchstone-watched-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** What a command resolved and connected to, and whether ONNX Runtime left files. The environment asks for telemetry. */
function watched(name: string, words: readonly string[]) {
  const [log, cache, resolv] = ['log', 'cache', 'resolv'].map((each) =>
    join(home, `${name}.${each}`),
  ) as [string, string, string]
  writeFileSync(resolv, 'nameserver 127.0.0.1\n')
  const inside = `ip link set lo up && mount --bind ${resolv} /etc/resolv.conf && exec "$@"`
  const watch = [process.execPath, join(ROOT, 'test', 'long', 'network-watch.ts'), log]
  const begun = Date.now()
  const { status, stderr } = spawnSync(
    'unshare',
    ['-nm', 'sh', '-c', inside, 'sh', ...watch, process.execPath, ...words],
    {
      cwd: home,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        XDG_CACHE_HOME: cache,
        ORT_DISABLE_TELEMETRY: '0',
      },
    },
  )
  const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
  const seconds = (Date.now() - begun) / 1000
  return { status, stderr, lines, seconds, hasFiles: existsSync(join(cache, 'Microsoft')) }
}

describe.runIf(isReady)(isReady ? 'telemetry' : `telemetry (${why})`, () => {
  const touchstone = join(ROOT, 'evals', 'bin', 'touchstone.js')

  test('ONNX Runtime alone resolves its collector’s name: the watch can see it', () => {
    const script = join(home, 'alone.mjs')
    writeFileSync(
      script,
      `import ort from ${JSON.stringify(join(ROOT, 'node_modules', 'onnxruntime-node', 'dist', 'index.js'))}
       await ort.InferenceSession.create(new Uint8Array(1)).catch(() => undefined)
       await new Promise((resolve) => setTimeout(resolve, 60_000))`,
    )
    const { lines, hasFiles } = watched('alone', [script])
    expect(hasFiles).toBe(true)
    expect(lines.some((line) => line.startsWith('resolved '))).toBe(true)
  })

  test('an audit of more than a minute sends nothing and writes nothing of it', () => {
    const seeds = ['--seeds', '0,1', '--out-dir', join(home, 'audit')]
    const found = watched('audit', [touchstone, 'quickstart', ...seeds])
    expect(found.status, found.stderr).toBe(0)
    expect(found.seconds).toBeGreaterThan(60)
    expect([found.lines, found.hasFiles]).toEqual([[], false])
  })

  test('a sweep sends nothing', () => {
    const words = ['--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora']
    const grid = ['--axis', 'rank=1,2', '--seeds', '0', '--steps', '20', '--limit', '16']
    const found = watched('sweep', [
      touchstone,
      'sweep',
      ...words,
      ...grid,
      '--out-dir',
      join(home, 'sweep'),
    ])
    expect(found.status, found.stderr).toBe(0)
    expect([found.lines, found.hasFiles]).toEqual([[], false])
  })

  test('a served session that evaluates for a minute sends nothing but what its own window asks of it', () => {
    const script = join(home, 'session.mjs')
    writeFileSync(
      script,
      `import { spawn } from 'node:child_process'
       const served = spawn(process.execPath, [${JSON.stringify(touchstone)}, 'serve', '--out-dir', ${JSON.stringify(join(home, 'served'))}, '--port', '0'], { stdio: 'inherit' })
       await new Promise((resolve) => setTimeout(resolve, 60_000))
       served.kill('SIGTERM')
       served.on('exit', () => process.exit(0))`,
    )
    const found = watched('serve', [script])
    expect([found.lines, found.hasFiles]).toEqual([[], false])
  })
})
