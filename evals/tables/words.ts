/** @file Word lists as YAML files of blocks with one entry a line. */
import { readFileSync } from 'node:fs'
import { parseYaml } from './yaml.ts'

/** Reads a words file of this repository. It is not validated: tests hold what is made of it. */
export const readWords = <T>(path: string): T => parseYaml(readFileSync(path, 'utf8')) as T

/** The lines of a block, trimmed, without empty ones. */
export const linesOf = (block: string): string[] =>
  block
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
