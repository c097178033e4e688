/** @file Writes a ZIP archive with deflate. The same entries give the same bytes, because every one is dated 1980-01-01. */
import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'

export interface ZipEntry {
  readonly name: string
  readonly text: string
}

/** ZIP stores local time; this is its first day in every time zone. */
const undated = () => new Date(1980, 0, 1)

/** The archive in pieces. Entries are compressed one after another, because each compressor takes a quarter of a megabyte. */
export async function zipOf(entries: Iterable<ZipEntry>): Promise<Uint8Array[]> {
  const zip = new ZipFile()
  const options = { mtime: undated(), mode: 0o100644, forceDosTimestamp: true, compress: true }
  for (const { name, text } of entries)
    zip.addReadStreamLazy(name, options, (take) => {
      take(null, Readable.from([Buffer.from(text, 'utf8')]))
    })
  zip.end()
  const pieces: Uint8Array[] = []
  for await (const piece of zip.outputStream) pieces.push(piece as Buffer)
  return pieces
}
