/** @file Vitest for every tier but the browser's. Files run one after another: two cores, and ONNX Runtime uses both. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Peers need Python, PyTorch or a real model: `npm run peers`.
const peers = process.env['TOUCHSTONE_PEERS'] === '1'

export default defineConfig({
  test: {
    include: [peers ? 'test/peers/**/*.test.ts' : 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(peers ? [] : ['test/peers/**'])],
    // What a user keeps is not for tests.
    env: { XDG_CACHE_HOME: join(tmpdir(), 'touchstone-test-cache') },
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
