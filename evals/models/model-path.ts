/** @file Where the model lies that a configuration names: the bundled one, a path, or a download cache's snapshot. */
import { join } from 'node:path'
import { snapshotOf } from './download-cache.ts'

const PEBBLE = join(import.meta.dirname, '..', 'bundled', 'pebble')

export const modelPath = (name: string): string => (name === 'pebble' ? PEBBLE : snapshotOf(name))
