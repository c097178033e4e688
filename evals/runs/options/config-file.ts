/** @file `--config FILE`: a configuration as JSON, in the shape that a run stores. */
import { readFileSync } from 'node:fs'
import { utf8 } from '../../files/text.ts'
import type { TouchstoneError } from '../../errors/touchstone-error.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import type { Field } from './fields.ts'
import { isObject, type Layer } from './flags.ts'

/** Largest configuration file, bytes. */
const LARGEST_BYTES = 1 << 20

/** Keys are checked here, because the schema would ignore unknown ones. */
export function readConfigFile(path: string, fields: readonly Field[]): Layer {
  const value = parse(path, readText(path))
  if (!isObject(value)) throw unusable(path, 'it does not hold one JSON object')
  checkKeys(path, value, fields)
  return value
}

function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw unusable(path, (error as NodeJS.ErrnoException).code ?? String(error))
  }
  if (bytes.length > LARGEST_BYTES) throw unusable(path, `it is larger than ${LARGEST_BYTES} bytes`)
  return utf8(bytes, () => unusable(path, 'it is not UTF-8 text'))
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unusable(path, (error as Error).message.slice(0, 200))
  }
}

function checkKeys(path: string, layer: Layer, fields: readonly Field[]): void {
  const known = new Set(['methods', 'gate', 'plan', ...fields.map((field) => field.path.join('.'))])
  const isGroup = (key: string) => fields.some(({ path: [first] }) => first === key)
  const keys = Object.entries(layer).flatMap(([key, value]) =>
    isObject(value) && isGroup(key) ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key],
  )
  const unknown = keys.find((key) => !known.has(key))
  if (unknown === undefined) return
  throw unknownName(`setting in ${path}`, unknown, known)
}

function unusable(path: string, why: string): TouchstoneError {
  return usageError(
    `The configuration ${path} cannot be used: ${why}.`,
    'Give a JSON file such as {"model": "pebble", "training": {"steps": 100}}.',
  )
}
