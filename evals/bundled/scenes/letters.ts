/** @file Letters as pixels and words by what they name, for scenes with text; drawn and chosen for this program. */
import { join } from 'node:path'
import { readWords } from '../../tables/words.ts'

export const LETTER = { width: 5, height: 7 } as const
export type Font = 'capital' | 'small'

const read = <T>(name: string): T => readWords(join(import.meta.dirname, `${name}.yaml`))

let fonts: Readonly<Record<Font, Readonly<Record<string, string>>>> | undefined

/** Columns of a letter from the left, each 7 bits, the top row the highest; blank for what is no letter. */
export function columnsOf(letter: string, font: Font): number[] {
  fonts ??= read<NonNullable<typeof fonts>>('letters')
  const rows = fonts[font][letter.toUpperCase()]?.split(' ')
  return Array.from({ length: LETTER.width }, (_, x) =>
    rows ? rows.reduce((bits, row) => 2 * bits + Number(row[x] === '#'), 0) : 0,
  )
}

type Topics = Readonly<Record<string, readonly string[]>>
let topics: Topics | undefined

/** Topic → its words, in capitals. */
export const sceneWords = (): Topics => (topics ??= read<Topics>('words'))
