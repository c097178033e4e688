/**
 * @file Transcripts: made ones of two species, and those of a user's FASTA or table. A made mRNA has an open reading frame of at
 * least 300 nucleotides whose codons follow its species' usage; a made lncRNA is such a transcript with its nucleotides
 * shuffled, so that composition tells nothing.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { nucleotides } from '../../../models/text/kmer-tokenizer.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { readCells } from '../task-file.ts'
import { readFasta } from '../../../tables/fasta.ts'
import { longestFrame, STOPS } from './sequence.ts'

export const KINDS = ['lncRNA', 'mRNA'] as const
type Kind = (typeof KINDS)[number]

export interface Transcript {
  readonly id: string
  /** Of A, C, G, T and N. */
  readonly sequence: string
  readonly kind: Kind
  readonly species: string
}

const LETTERS = 'ACGT'
const CODONS = [...LETTERS].flatMap((a) =>
  [...LETTERS].flatMap((b) => [...LETTERS].map((c) => a + b + c)),
)
const SENSE = CODONS.filter((codon) => !STOPS.has(codon))

/** Nucleotides; codons of a frame include start and stop. */
const SIZE = { codons: [100, 112], ends: [5, 25] } as const
const LONG_FRAME = 300
/** Share of transcripts that are isoforms of the one before: another beginning, and a letter in a hundred exchanged. */
const ISOFORMS = { share: 0.2, cut: 15, exchanged: 0.01 }
/** Spread of the logarithms of codon usage: what all species share, and a species' own. */
const USAGE = { shared: 0.3, own: 1 }

/** Cumulative usage of the sense codons. */
function usageOf(species: string): number[] {
  const [shared, own] = [randomStream(0, 'rna:codons'), randomStream(0, `rna:codons:${species}`)]
  const weights = SENSE.map(() =>
    Math.exp(USAGE.shared * shared.normal() + USAGE.own * own.normal()),
  )
  const sum = weights.reduce((total, weight) => total + weight, 0)
  let reached = 0
  return weights.map((weight) => (reached += weight / sum))
}

const between = (stream: RandomStream, [from, to]: readonly [number, number]) =>
  from + stream.integer(to - from + 1)

function coding(stream: RandomStream, usage: readonly number[]): string {
  const codon = () => {
    const drawn = stream.uniform()
    return SENSE[usage.findIndex((share) => drawn < share)] ?? SENSE.at(-1)!
  }
  const inside = Array.from({ length: between(stream, SIZE.codons) - 2 }, codon).join('')
  const frame = `ATG${inside}${[...STOPS][stream.integer(STOPS.size)]!}`
  // The ends have the frame's composition.
  const end = () =>
    Array.from({ length: between(stream, SIZE.ends) }, () => frame[stream.integer(frame.length)]!)
  return `${end().join('')}${frame}${end().join('')}`
}

function shuffled(stream: RandomStream, sequence: string): string {
  for (;;) {
    const drawn = stream.shuffle([...sequence]).join('')
    if (longestFrame(drawn) < LONG_FRAME) return drawn
  }
}

/** Each letter by another with a probability. */
export const misread = (sequence: string, share: number, stream: RandomStream): string =>
  [...sequence]
    .map((letter) => {
      if (stream.uniform() >= share) return letter
      const others = [...LETTERS].filter((other) => other !== letter)
      return others[stream.integer(others.length)]!
    })
    .join('')

export function madeTranscripts(
  species: string,
  count: number,
  seed: number,
  part: string,
): Transcript[] {
  const stream = randomStream(seed, `rna:${species}:${part}`)
  const usage = usageOf(species)
  const made: Transcript[] = []
  for (let i = 0; i < count; i++) {
    const before = made.at(-1)
    if (before && stream.uniform() < ISOFORMS.share) {
      const rest = before.sequence.slice(stream.integer(ISOFORMS.cut))
      made.push({
        ...before,
        id: `${before.id}'`,
        sequence: misread(rest, ISOFORMS.exchanged, stream),
      })
      continue
    }
    const kind = KINDS[stream.integer(KINDS.length)]!
    const whole = coding(stream, usage)
    const sequence = kind === 'mRNA' ? whole : shuffled(stream, whole)
    made.push({ id: `${species}-${part}-${i + 1}`, sequence, kind, species })
  }
  return made
}

const COLUMNS = ['id', 'sequence', 'label', 'species'] as const

/** A FASTA file whose headers name the kind, or a table of id, sequence, label and species. */
export async function transcriptsIn(path: string): Promise<Transcript[]> {
  const isTable = /\.(?:csv|jsonl?|parquet)$/iu.test(path)
  const rows = isTable
    ? (await readCells(path, COLUMNS)).map(({ row, cells }) => ({ row, ...cells }))
    : await readFasta(path)
  return rows.map(({ row, id, sequence, label, species }) => {
    const kind = KINDS.find((name) => name.toLowerCase() === label.toLowerCase())
    if (kind === undefined)
      throw new TouchstoneError('data.class', { path, row, label, known: KINDS })
    if (sequence === '')
      throw new TouchstoneError('data.row', { path, row, why: `${id} has no sequence` })
    return { id, sequence: nucleotides(sequence), kind, species: species || 'unknown' }
  })
}
