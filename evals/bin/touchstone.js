#!/usr/bin/env node
/** @file The `touchstone` command: the same arguments, on the Node that the lockfile pins. */
import { entry, runNode } from './launcher.js'

process.exitCode = await runNode([entry('cli'), ...process.argv.slice(2)])
