/** @file The words of Pebble's world and of the mild set: YAML files in `words/`, read once each. */
import { join } from 'node:path'
import { readWords as readFile } from '../tables/words.ts'

export const readWords = <T>(name: string): T =>
  readFile(join(import.meta.dirname, 'words', `${name}.yaml`))
