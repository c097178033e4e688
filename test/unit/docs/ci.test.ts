/** @file The script of the page on continuous integration, run as it stands there. */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../doubles/imports.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

test('a gate, JUnit, the card and a case come of the script', () => {
  const [, script] = /```sh\n(?<script>.*?)```/su.exec(
    readFileSync(join(ROOT, 'docs/ci.md'), 'utf8'),
  )!
  const folder = freshFolder()
  const candidate = join(folder, 'fine-tune')
  cpSync(join(ROOT, 'evals/bundled/pebble'), candidate, { recursive: true })
  const cli = join(ROOT, 'evals/bin/cli.ts')
  const touchstone = `touchstone() { "${process.execPath}" --disable-warning=ExperimentalWarning "${cli}" "$@"; }`
  const { status, stderr } = spawnSync('bash', ['-c', `${touchstone}\n${script}`], {
    cwd: folder,
    env: { ...process.env, BASE: 'pebble', CANDIDATE: candidate },
    encoding: 'utf8',
  })
  expect(stderr).not.toMatch(/error|bug/iu)
  expect([0, 101]).toContain(status)
  const written = (name: string) => readFileSync(join(folder, 'out', name), 'utf8')
  expect(written('ci/run.junit.xml')).toMatch(/<testsuite name="claims"[^>]* failures="0"/u)
  expect(written('ci/card.md')).toMatch(/^# /mu)
  expect(written('case/manifest.json')).toContain('"number": 1')
})
