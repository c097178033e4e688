/** @file What a process is given that the launcher starts. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../doubles/imports.ts'

const seen = (environment: Readonly<Record<string, string>>): string => {
  const inherited = { ...process.env }
  delete inherited['NODE_COMPILE_CACHE']
  const script = `import('./evals/bin/launcher.js').then((launcher) => launcher.runNode(['-p', 'process.env.NODE_COMPILE_CACHE']))`
  const options = { cwd: ROOT, env: { ...inherited, ...environment }, encoding: 'utf8' } as const
  return execFileSync(process.execPath, ['-e', script], options).trim()
}

test('Node keeps what it made of the sources beside the packages, or where the user says', () => {
  expect(seen({})).toBe(join(ROOT, 'node_modules', '.cache', 'touchstone'))
  expect(seen({ NODE_COMPILE_CACHE: '/elsewhere' })).toBe('/elsewhere')
})
