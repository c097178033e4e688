/** @file The words of Pebble's world and of the mild set: text files in `words/`, read once each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseYaml } from '../tables/yaml.ts'

/** Trusted: these files are part of the repository, and a test holds what is made of them. */
export const readWords = <T>(name: string): T =>
  parseYaml(readFileSync(join(import.meta.dirname, 'words', `${name}.yaml`), 'utf8')) as T

/** The lines of a block, trimmed, without empty ones. */
export const linesOf = (block: string): string[] =>
  block
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
