/**
 * @file Overlapping k-mers of nucleotides, stride 1 (DNABERT, Ji et al. 2021; LoRA-BERT, Jeon et al. 2024): id 5 + the k-mer as a
 * number in base 4, A 0, C 1, G 2, T 3. Letters are upper-cased and U is T; a k-mer with any other letter is [UNK].
 */
import { sha256 } from '../../files/digest.ts'
import type { JsonObject } from '../../files/read-file.ts'
import type { Tokenizer } from '../checkpoint.ts'

export const KMER_SPECIALS = { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 } as const
const FIRST = Object.keys(KMER_SPECIALS).length
const LETTERS = 'ACGT'
const TYPE = 'KMers'
/** 4¹² ids are the most. */
const LONGEST = 12

/** `tokenizer.json` of such a model. */
export const kmerTokenizerJson = (k: number): JsonObject => ({
  version: '1.0',
  model: { type: TYPE, k },
})

/** k of such a `tokenizer.json`; undefined of any other. */
export function kmersOf({ model }: JsonObject): number | undefined {
  const { type, k } = (model ?? {}) as { type?: unknown; k?: unknown }
  const isLength = typeof k === 'number' && Number.isInteger(k) && k >= 1 && k <= LONGEST
  return type === TYPE && isLength ? k : undefined
}

export const kmerVocabulary = (k: number): number => LETTERS.length ** k + FIRST

/** A, C, G and T; N for any other letter. */
export const nucleotides = (text: string): string =>
  text
    .toUpperCase()
    .replaceAll('U', 'T')
    .replaceAll(/[^ACGT]/gu, 'N')

export const kmerTokenizer = (k: number): Tokenizer => ({
  digest: sha256(JSON.stringify(kmerTokenizerJson(k))),
  vocabSize: kmerVocabulary(k),
  endIds: [KMER_SPECIALS.sep],
  padId: KMER_SPECIALS.pad,
  prefixIds: [KMER_SPECIALS.cls],
  suffixIds: [KMER_SPECIALS.sep],
  encode(text) {
    const read = nucleotides(text.trim())
    const count = Math.max(0, read.length - k + 1)
    return Array.from({ length: count }, (_, i) => idOf(read.slice(i, i + k)))
  },
  decode: (ids) => ids.map((id) => kmerOf(id, k)).join(' '),
})

const idOf = (kmer: string): number =>
  kmer.includes('N')
    ? KMER_SPECIALS.unknown
    : FIRST + [...kmer].reduce((number, letter) => 4 * number + LETTERS.indexOf(letter), 0)

function kmerOf(id: number, k: number): string {
  if (id < FIRST) return 'N'.repeat(k)
  const places = Array.from({ length: k }, (_, i) => Math.floor((id - FIRST) / 4 ** (k - 1 - i)))
  return places.map((number) => LETTERS[number % 4]).join('')
}
