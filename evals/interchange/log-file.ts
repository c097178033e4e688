/** @file Reads files of other tools: strict UTF-8, bounded lines, and JSON in which Python's NaN and Infinity become null. */
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { utf8 } from '../files/text.ts'
import { byteLines } from '../tables/byte-lines.ts'

const LONGEST_LINE = 64 * 2 ** 20

export function malformedLog(path: string, found: string, expected: string): TouchstoneError {
  return new TouchstoneError('interchange.malformed', { path, found, expected })
}

export const notText = (path: string) => (found: string) => malformedLog(path, found, 'UTF-8 text')

export const decodeText = (bytes: Uint8Array, path: string): string => utf8(bytes, notText(path))

/** A string, or a number that is not JSON. */
const CONSTANTS = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g

export function parseForeignJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Replaced only now, because that costs more than parsing.
  }
  const mended = text.replace(CONSTANTS, (part) => (part.startsWith('"') ? part : 'null'))
  try {
    return JSON.parse(mended)
  } catch {
    throw malformedLog(path, 'text that is not JSON', 'JSON')
  }
}

/** `value` as `schema` has it. @param expected what the log should be, for the error */
export function parsedLog<T>(
  schema: z.ZodType<T>,
  value: unknown,
  where: string,
  expected: string,
): T {
  const { data, error } = schema.safeParse(value)
  if (!error) return data
  const { path, message } = error.issues[0]!
  throw malformedLog(where, `${path.join('.') || 'its JSON'}: ${message}`, expected)
}

/** A whole file as JSON, of at most `most` bytes. */
export async function readLogJson(path: string, most: number): Promise<unknown> {
  const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw malformedLog(path, error.code ?? error.message, 'a readable file')
  })
  if (size > most) throw malformedLog(path, `${size} bytes`, `at most ${most}`)
  return parseForeignJson(decodeText(await readFile(path), path), path)
}

interface Line {
  readonly text: string
  /** From 1. */
  readonly number: number
}

/** Trimmed lines that are not empty, one in memory at a time. */
export async function* linesOf(path: string, longest = LONGEST_LINE): AsyncGenerator<Line> {
  let number = 0
  const refuseLong = (bytes: number) => {
    if (bytes > longest)
      throw malformedLog(path, 'an endless line', `at most ${longest} bytes a line`)
  }
  for await (const { bytes } of byteLines(openLog(path), 0, refuseLong)) {
    number++
    const text = decodeText(bytes, `${path}, line ${number}`).trim()
    if (text !== '') yield { text, number }
  }
}

export async function* openLog(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path)
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code?.startsWith('E') ? malformedLog(path, code, 'a readable file') : error
  } finally {
    stream.destroy()
  }
}
