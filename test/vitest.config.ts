/** @file Vitest for every tier but the browser's. Two files of the check run at a time, for most use one core; all others run alone. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { SCRATCH } from './scratch.ts'

// Peers need Python, PyTorch or a real model: `npm run peers`. The window's tests need a browser: `npm run e2e`.
const APART = ['peers', 'e2e']
const chosen = APART.find((tier) => process.env[`TOUCHSTONE_${tier.toUpperCase()}`] === '1')
const isLong = Boolean(process.env['TOUCHSTONE_LONG'])

export default defineConfig({
  test: {
    include: [chosen ? `test/${chosen}/**/*.test.ts` : 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(chosen ? [] : APART.map((tier) => `test/${tier}/**`))],
    // What a user keeps is not for tests.
    env: {
      TMPDIR: SCRATCH,
      XDG_CACHE_HOME: join(tmpdir(), 'touchstone-test-cache'),
      XDG_STATE_HOME: join(tmpdir(), 'touchstone-test-state'),
    },
    globalSetup: join(import.meta.dirname, 'scratch.ts'),
    pool: 'forks',
    maxWorkers: chosen || isLong ? 1 : 2,
    fileParallelism: !chosen && !isLong,
    // Finds what hangs, also where other processes take most of the machine: the slowest test takes seconds by itself.
    testTimeout: isLong ? 3_600_000 : 600_000,
    hookTimeout: 600_000,
  },
})
