#!/usr/bin/env node
/** @file The `touchstone` command: the same arguments, on the Node that the lockfile pins. */
import { join } from 'node:path'
import { root, runNode } from './launcher.js'

process.exitCode = await runNode([join(root, 'evals', 'bin', 'cli.ts'), ...process.argv.slice(2)])
