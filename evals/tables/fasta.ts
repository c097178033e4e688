/**
 * @file FASTA (Pearson and Lipman 1988): a header after ">", then lines of letters. The header's words, separated by blanks or
 * bars, are the id, the kind and the species: `>ENST1|lncRNA|human`.
 */
import { readFile } from 'node:fs/promises'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { bytesFit, refuseAccess } from './file-size.ts'
import { decodeLossily, unreadable } from './text.ts'

interface FastaRecord {
  /** From 1. */
  readonly row: number
  readonly id: string
  readonly label: string
  readonly species: string
  readonly sequence: string
}

export async function readFasta(path: string): Promise<FastaRecord[]> {
  await bytesFit(path)
  const { text } = decodeLossily(await readFile(path).catch(refuseAccess(path)), path)
  if (text.trim() === '') throw unreadable(path, 'nothing but blanks')
  const [before, ...records] = text.replaceAll(/\r\n?/gu, '\n').split(/^>/mu)
  if (before!.trim() !== '' || records.length === 0)
    throw new TouchstoneError('task.fasta', { path, found: before!.trim().slice(0, 40) })
  return records.map((record, i) => {
    const [header = '', ...lines] = record.split('\n')
    const [id = '', label = '', species = ''] = header.trim().split(/[|\s]+/u)
    return { row: i + 1, id, label, species, sequence: lines.join('').replaceAll(/\s/gu, '') }
  })
}
