/** @file A stand-in for Electron's release: a program that does nothing, with the fuse wire that Electron's has. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'

/** As Electron marks the place of its fuses: version 1, nine of them, all on. */
const WIRE = Buffer.concat([
  Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
  Buffer.from([1, 9]),
  Buffer.from('1'.repeat(9)),
])

/** Writes the zip of this platform as Forge looks for it. */
export async function writeElectronZip(folder: string, version: string): Promise<void> {
  const zip = new yazl.ZipFile()
  const program = Buffer.concat([Buffer.from('#!/bin/sh\nexit 0\n# '), WIRE])
  zip.addBuffer(program, 'electron', { mode: 0o100755 })
  zip.addBuffer(Buffer.from(version), 'version')
  zip.addBuffer(Buffer.from('stand-in'), 'LICENSE')
  zip.addBuffer(Buffer.from('stand-in'), 'resources/default_app.asar')
  zip.end()
  const name = `electron-v${version}-${process.platform}-${process.arch}.zip`
  await pipeline(zip.outputStream, createWriteStream(join(folder, name)))
}
