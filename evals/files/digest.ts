/** @file SHA-256 of texts, bytes and files, in hexadecimal. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

type Part = string | NodeJS.ArrayBufferView

/** Of the parts one after another. */
export const sha256 = (...parts: readonly Part[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** Of texts, whatever their spaces, case and invisible characters: an edit that changes no word changes nothing. */
export const wordingDigest = (...texts: readonly string[]): string =>
  sha256(JSON.stringify(texts.map(folded)))

const folded = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .toLowerCase()
    .trim()
    .replaceAll(/\s+/gu, ' ')

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(piece as Buffer)
  return hash.digest('hex')
}
