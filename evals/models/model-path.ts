/** @file Resolves a model name in a configuration: the bundled model, a path, or a snapshot in the download cache. */
import { join } from 'node:path'
import { snapshotOf } from './download-cache.ts'

const PEBBLE = join(import.meta.dirname, '..', 'bundled', 'pebble')

export const modelPath = (name: string): string => (name === 'pebble' ? PEBBLE : snapshotOf(name))
