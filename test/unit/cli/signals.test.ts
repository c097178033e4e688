/** @file Signals to a real process: the first ends the run where it can be resumed, the second ends the process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../../evals/runs/store/store.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const SCRIPT = join(import.meta.dirname, 'run-fake.ts')

interface Started {
  readonly child: ChildProcess
  readonly text: () => { stdout: string; stderr: string }
}

/** Resolves once the base is being asked. */
async function start(folder: string, ...words: string[]): Promise<Started> {
  const child = spawn(
    process.execPath,
    [SCRIPT, 'audit', '--model', 'any', '--out-dir', folder, ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  while (!/ask base|"phase":"ask base"/.test(stderr + stdout)) {
    await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')])
  }
  return { child, text: () => ({ stdout, stderr }) }
}

const ended = async (child: ChildProcess): Promise<number | null> =>
  child.exitCode ?? ((await once(child, 'close')) as [number | null])[0]

const outcomes = (folder: string) => {
  const store = openStore(join(folder, 'touchstone.db'))
  const found = store.runs().map(({ outcome }) => outcome)
  store.close()
  return found
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, code) => {
  test('ends the run as cancelled and says how to go on', async () => {
    const folder = freshFolder()
    const { child, text } = await start(folder, '--wait-ms', '200')
    child.kill(signal)
    expect(await ended(child)).toBe(code)
    expect(text().stderr).toContain(`--wait-ms 200 --out-dir ${folder} --resume`)
    expect(text().stdout).toBe('')
    expect(outcomes(folder)).toEqual(['cancelled'])
  })

  test('with --json the last line says so, and all lines are JSON', async () => {
    const folder = freshFolder()
    const { child, text } = await start(folder, '--wait-ms', '200', '--json')
    child.kill(signal)
    expect(await ended(child)).toBe(code)
    const { stdout, stderr } = text()
    expect(stderr).toBe('')
    const told = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(told.at(-1)).toMatchObject({ type: 'result', outcome: 'cancelled', exitCode: code })
  })
})

test('ls calls a run running while its process lives, and interrupted once it was killed', async () => {
  const folder = freshFolder()
  const { child } = await start(folder, '--wait-ms', '200')
  const said = async () => {
    const { stdout } = await runCommand(['ls', '--out-dir', folder, '--json'], {}, COMMANDS)
    return (JSON.parse(stdout) as { outcome: string }[]).map(({ outcome }) => outcome)
  }
  expect(await said()).toEqual(['running'])
  child.kill('SIGKILL')
  await ended(child)
  expect(await said()).toEqual(['interrupted'])
})

test('a second signal ends a job that does not listen, and the run can be resumed', async () => {
  const folder = freshFolder()
  const { child, text } = await start(folder, '--deaf-ms', '60000')
  child.kill('SIGINT')
  while (!text().stderr.includes('once more')) await once(child.stderr!, 'data')
  child.kill('SIGINT')
  expect(await ended(child)).toBe(130)
  expect(outcomes(folder)).toEqual([null])
  const again = await start(folder, '--deaf-ms', '60000', '--resume')
  again.child.kill('SIGKILL')
  await ended(again.child)
})
