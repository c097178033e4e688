/** @file What a process is given that the launcher starts. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../doubles/imports.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const seen = (variable: string, environment: Readonly<Record<string, string>> = {}): string => {
  const inherited = { ...process.env }
  delete inherited[variable]
  const script = `import('./evals/bin/launcher.js').then((launcher) => launcher.runNode(['-p', 'process.env.${variable}']))`
  const options = { cwd: ROOT, env: { ...inherited, ...environment }, encoding: 'utf8' } as const
  return execFileSync(process.execPath, ['-e', script], options).trim()
}

test('Node keeps what it made of the sources beside the packages, or where the user says', () => {
  const variable = 'NODE_COMPILE_CACHE'
  expect(seen(variable)).toBe(join(ROOT, 'node_modules', '.cache', 'touchstone'))
  expect(seen(variable, { [variable]: '/elsewhere' })).toBe('/elsewhere')
})

test('threads share one heap of glibc’s, or as many as the user says', () => {
  const variable = 'MALLOC_ARENA_MAX'
  expect(seen(variable)).toBe('1')
  expect(seen(variable, { [variable]: '4' })).toBe('4')
})

test('a command that is killed takes its engine with it', async () => {
  const words = ['train', '--model', 'pebble', '--data', 'house-benign', '--methods', 'lora']
  const size = ['--steps', '1000000', '--out-dir', join(freshFolder(), 'out'), '--json']
  const child = spawn(process.execPath, ['evals/bin/touchstone.js', ...words, ...size], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // The engine holds the other end of this pipe: it is closed when the engine is gone too.
  const closed = once(child, 'close')
  let said = ''
  for await (const piece of child.stdout) {
    said += String(piece)
    if (/"phase-progress"/.test(said)) child.kill('SIGKILL')
  }
  await closed
  expect(child.signalCode).toBe('SIGKILL')
  // It ended where it can be resumed.
  expect(said).toMatch(/"type":"job-end","outcome":"cancelled"/)
})
