/** @file The lines of a file, one in memory at a time: strict UTF-8, none longer than a sample may be. */
import { createReadStream } from 'node:fs'
import { decodeText, malformedLog } from './foreign-json.ts'

const LONGEST = 64 * 2 ** 20
const NEWLINE = 0x0a

interface Line {
  readonly text: string
  /** From 1. */
  readonly number: number
}

/** Without line ends; empty lines are left out. */
export async function* linesOf(path: string, longest = LONGEST): AsyncGenerator<Line> {
  let number = 0
  for await (const bytes of chunksAtNewlines(path, longest)) {
    number++
    const text = decodeText(bytes, `${path}, line ${number}`).trim()
    if (text !== '') yield { text, number }
  }
}

async function* chunksAtNewlines(path: string, longest: number): AsyncGenerator<Buffer> {
  let kept: Buffer[] = []
  let length = 0
  for await (const chunk of openLog(path)) {
    let start = 0
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      yield Buffer.concat([...kept, chunk.subarray(start, end)])
      kept = []
      length = 0
    }
    const rest = chunk.subarray(start)
    length += rest.length
    if (length > longest)
      throw malformedLog(path, 'an endless line', `at most ${longest} bytes a line`)
    if (rest.length > 0) kept.push(rest)
  }
  if (kept.length > 0) yield Buffer.concat(kept)
}

/** What cannot be read is said in the words of logs. */
export async function* openLog(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path)
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || !code.startsWith('E')) throw error
    throw malformedLog(path, code ?? message, 'a readable file')
  } finally {
    stream.destroy()
  }
}
