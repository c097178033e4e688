/** @file The benches' command line. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import {
  FULL_SIZE_LAYERS,
  PEER_VARIANTS,
  STEPS_OF_TASKS,
  WORK_NAMES,
  WORKS,
  type Work,
} from './works.ts'

export const COMMON_OPTIONS = {
  work: { type: 'string', multiple: true },
  layers: { type: 'string', default: String(FULL_SIZE_LAYERS) },
  threads: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig

/** Ends the process with one sentence and code 2. */
export function usage(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}

/** `parseArgs`, whose complaints end the process. */
export function parse<T extends ParseArgsOptionsConfig>(options: T) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return usage((error as Error).message)
  }
}

export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  return usage(`--${flag} takes a whole number from ${least} to ${most}, not "${text}".`)
}

export function chosenWorks(names: readonly string[] = WORK_NAMES): readonly Work[] {
  const all = [...WORKS, ...PEER_VARIANTS, ...STEPS_OF_TASKS]
  const unknown = names.find((name) => !all.some((work) => work.name === name))
  if (unknown !== undefined)
    usage(`There is no work "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}.`)
  return all.filter(({ name }) => names.includes(name))
}
