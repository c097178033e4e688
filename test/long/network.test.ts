/**
 * @file Nothing is sent: a whole audit, report and case run in a network namespace without interfaces, watched by strace, and no
 * socket of the internet's kinds is opened. Needs strace and unshare (Linux), and TOUCHSTONE_LONG.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeKillBench } from '../doubles/runs/kill-runs.ts'

const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const runs = (command: string, ...args: string[]) => spawnSync(command, args).status === 0
const isLong = Boolean(process.env['TOUCHSTONE_LONG'])
const isReady =
  isLong && runs('unshare', '-rn', 'true') && runs('strace', '-f', '-e', 'trace=network', 'true')
const why = isLong ? 'needs strace and unshare, and the right to use them' : 'in npm run check:long'

/** Under the root of a namespace that has no network device but a loopback that is down. */
function watched(log: string, ...words: string[]) {
  const strace = ['strace', '-ff', '-e', 'trace=network', '-o', log]
  return spawnSync('unshare', ['-rn', ...strace, process.execPath, ...words], { encoding: 'utf8' })
}

const traceOf = (log: string): string =>
  globSync(`${log}*`)
    .map((path) => readFileSync(path, 'utf8'))
    .join('')

const INTERNET = /\bAF_INET6?\b/

describe.runIf(isReady)(isReady ? 'no network' : `no network (${why})`, () => {
  test('the watch sees a socket where there is one', async () => {
    const { home } = await makeKillBench()
    const log = join(home, 'seen')
    const open = "require('node:net').connect(9, '127.0.0.1').on('error', () => {})"
    watched(log, '-e', open)
    expect(traceOf(log)).toMatch(INTERNET)
  })

  test('an audit, its report, its export and its case open none', async () => {
    const { home, words } = await makeKillBench()
    const folder = join(home, 'audit')
    const log = join(home, 'trace')
    const audit = watched(log, CLI, 'audit', ...words, '--out-dir', folder, '--quiet')
    expect(audit.status, audit.stderr).toBe(0)
    for (const rest of [
      ['report'],
      ['export', '-o', join(home, 'x.eval')],
      ['case', '--out', join(home, 'case')],
    ]) {
      const ran = watched(log + rest[0], CLI, ...rest, '--out-dir', folder)
      expect(ran.status, ran.stderr).toBe(0)
    }
    const trace = traceOf(log)
    // Every thread of every process has a file, even one that opened no socket at all.
    expect(globSync(`${log}*`).length).toBeGreaterThan(4)
    expect(trace.split('\n').filter((line) => INTERNET.test(line))).toEqual([])
  })
})
