#!/usr/bin/env node
/** @file The `touchstone` command: the same arguments, on the Node that the lockfile pins. */
import { join } from 'node:path'
import { root, runNode } from './launcher.js'

// Node keeps what it compiled here where it may write: half of a short command's time is spent on that.
const NODE_COMPILE_CACHE =
  process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'compiled')

process.exitCode = await runNode([join(root, 'evals', 'cli.ts'), ...process.argv.slice(2)], {
  env: { NODE_COMPILE_CACHE },
})
