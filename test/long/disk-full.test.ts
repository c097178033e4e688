/**
 * @file A disk that is full ends a command by name, wherever it fills up: database, training state, weights, report, export. The disk
 * is a small tmpfs in a mount namespace of its own. Needs root's unshare and mount (Linux), and TOUCHSTONE_LONG.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../doubles/imports.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { storeAudit } from '../doubles/runs/stored-audit.ts'

const isLong = Boolean(process.env['TOUCHSTONE_LONG'])
const canMount = () =>
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'small', '/mnt']).status ===
  0
const isReady = isLong && process.platform === 'linux' && canMount()
const why = isLong ? 'needs unshare and mount, and the right to use them' : 'in npm run check:long'

const disk = freshFolder()
const stored = storeAudit()

/** A command with `disk` full after `size`. */
function withDisk(size: string, ...words: readonly string[]) {
  const mount = `mount -t tmpfs -o size=${size} small "${disk}" && exec "$@"`
  const touchstone = [process.execPath, join(ROOT, 'evals', 'bin', 'touchstone.js')]
  return spawnSync('unshare', ['-m', 'sh', '-c', mount, 'sh', ...touchstone, ...words], {
    cwd: freshFolder(),
    encoding: 'utf8',
  })
}

const evaluation = 'eval --model pebble --suite general --limit 4 --quiet'.split(' ')
const training = 'train --model pebble --data house-benign --methods lora,full --steps 4 --quiet'
const place = (name: string) => join(disk, name)

describe.runIf(isReady)(isReady ? 'a full disk' : `a full disk (${why})`, () => {
  test.each([
    ['before the database is made', '4k', [...evaluation, '--out-dir', place('out')]],
    ['under the database', '200k', [...evaluation, '--out-dir', place('out')]],
    ['under the report', '16k', [...evaluation, '-o', place('report.html')]],
    [
      'under training states and weights',
      '3m',
      [...training.split(' '), '--out-dir', place('out')],
    ],
    ['under an export', '8k', ['export', '--out-dir', stored, '-o', place('run.eval')]],
    ['under a case', '40k', ['case', '--out-dir', stored, '-o', place('case')]],
    ['under a merged model', '1m', ['export-model', '--model', 'pebble', '-o', place('model')]],
  ])('%s', (_, size, words) => {
    const { status, stderr } = withDisk(size, ...words)
    expect(stderr).toMatch(/is full|ENOSPC|no space/i)
    expect(stderr).not.toContain('bug in Touchstone')
    expect(status).toBe(1)
  })
})
