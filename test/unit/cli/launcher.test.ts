/** @file What a process is given that the launcher starts. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../doubles/imports.ts'

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
