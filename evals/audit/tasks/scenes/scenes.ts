/** @file Scenes with words: made at random, or read from a file of the user's (what an OCR engine and a detector found). */
import { z } from 'zod'
import { columnsOf, LETTER, sceneWords, type Font } from '../../../bundled/scenes/letters.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { SCENE_ROW } from '../../../models/families/scene-reader.ts'
import { anls } from '../../../models/scenes/answers.ts'
import type { Region, SceneWord } from '../../../models/scenes/locate.ts'
import type { RandomStream } from '../../../statistics/random.ts'
import { readNamed } from '../task-file.ts'

export interface Scene {
  readonly name: string
  readonly width: number
  readonly height: number
  /** As an OCR engine reads them, at most twelve. */
  readonly words: readonly SceneWord[]
  /** As they are drawn; `words` where there is no picture. */
  readonly drawn: readonly string[]
  readonly regions: readonly Region[]
  readonly question: string
  /** What people answered. */
  readonly answers: readonly string[]
  /** Which word answers. */
  readonly answer: number
}

const SIZE = { width: 162, height: 64 }
/** Cells that words are laid in, one each. */
const GRID = { columns: 3, rows: 4 }
const FEWEST = 4
const MOST = 10
const SPACING = LETTER.width + 1
const MISREAD = 0.15
const PEOPLE = 10
const AGREEING = 8

/** Place → how far a word lies towards it, and the half of the picture on that side. */
const PLACES: Readonly<
  Record<string, { of: (box: SceneWord['box']) => number; half: Region['box'] }>
> = {
  'at the top': { of: ([, y0]) => -y0, half: [0, 0, SIZE.width, SIZE.height / 2] },
  'at the bottom': {
    of: ([, y0]) => y0,
    half: [0, SIZE.height / 2, SIZE.width, SIZE.height],
  },
  'on the left': { of: ([x0]) => -x0, half: [0, 0, SIZE.width / 2, SIZE.height] },
  'on the right': { of: ([x0]) => x0, half: [SIZE.width / 2, 0, SIZE.width, SIZE.height] },
}

/**
 * A scene of four to ten words, two of one topic; the question asks for the one that lies further to one side. Some words are
 * misread by a letter, and two of ten people answer with another word.
 */
export function madeScene(stream: RandomStream, name: string): Scene {
  const topics = sceneWords()
  const [topic] = stream.shuffle(Object.keys(topics)) as [string]
  const others = Object.entries(topics).flatMap(([key, own]) => (key === topic ? [] : own))
  const count = FEWEST - 2 + stream.integer(MOST - FEWEST + 1)
  const pair = stream.shuffle(topics[topic]!).slice(0, 2)
  const drawn = stream.shuffle([...pair, ...stream.shuffle(others).slice(0, count)])
  const boxes = laid(drawn, stream)
  const places = Object.keys(PLACES)
  const place = places[stream.integer(places.length)]!
  const { of, half } = PLACES[place]!
  const [first, second] = pair.map((word) => drawn.indexOf(word)) as [number, number]
  const answer = of(boxes[first]!) >= of(boxes[second]!) ? first : second
  const other = answer === first ? second : first
  return {
    name,
    ...SIZE,
    words: drawn.map((word, i) => ({ text: misread(word, stream), box: boxes[i]! })),
    drawn,
    regions: [{ box: half, score: 1 }],
    question: `Which ${topic} is named ${place}?`,
    answers: Array.from({ length: PEOPLE }, (_, p) =>
      drawn[p < AGREEING ? answer : other]!.toLowerCase(),
    ),
    answer,
  }
}

/** Each word in a cell of its own, apart from the others by at least the space of a letter. */
function laid(words: readonly string[], stream: RandomStream): SceneWord['box'][] {
  const cells = stream.shuffle(Array.from({ length: GRID.columns * GRID.rows }, (_, cell) => cell))
  const [wide, tall] = [SIZE.width / GRID.columns, SIZE.height / GRID.rows]
  return words.map((word, i) => {
    const [column, row] = [cells[i]! % GRID.columns, Math.floor(cells[i]! / GRID.columns)]
    const width = word.length * SPACING - 1
    const x0 = column * wide + 1 + stream.integer(Math.max(1, wide - width - 2))
    const y0 = row * tall + 1 + stream.integer(tall - LETTER.height - 2)
    return [x0, y0, x0 + width, y0 + LETTER.height]
  })
}

function misread(word: string, stream: RandomStream): string {
  if (stream.uniform() >= MISREAD) return word.toLowerCase()
  const [at, by] = [stream.integer(word.length), stream.integer(26)]
  const letter = String.fromCodePoint(97 + by)
  return `${word.slice(0, at).toLowerCase()}${letter}${word.slice(at + 1).toLowerCase()}`
}

const Place = z.tuple([z.number(), z.number(), z.number(), z.number()])
/** Letters of a word or an answer; distances between longer ones take their product in time. */
const LONGEST_WORD = 1000
const Word = z.string().max(LONGEST_WORD)
const SceneFile = z.object({
  image: z.object({ w: z.number().positive(), h: z.number().positive() }),
  ocr: z.array(z.object({ text: Word, box: Place, conf: z.number().min(0).max(1).default(1) })),
  regions: z.array(z.object({ box: Place, score: z.number().min(0) })).default([]),
  question: z.string().min(1),
  answers: z.array(Word).min(1),
})

interface Read {
  readonly scenes: readonly Scene[]
  /** Of scenes that hold no word, and of those where no word is near any answer. */
  readonly wordless: number
  readonly unanswered: number
  /** Of scenes with more words than a row takes, of which the surest are read. */
  readonly crowded: number
}

/** Scenes as JSON, an array or one a line: `image`, `ocr`, `regions`, `question`, `answers`. */
export async function scenesIn(path: string): Promise<Read> {
  const { rows } = await readNamed(path)
  let crowded = 0
  const read = rows.map((row, i) => {
    const parsed = SceneFile.safeParse(row)
    crowded += Number((parsed.data?.ocr.length ?? 0) > SCENE_ROW.words)
    if (parsed.success) return sceneOf(parsed.data, `scene ${i + 1}`)
    const why = z.prettifyError(parsed.error).replaceAll('\n', ' ')
    throw new TouchstoneError('data.scene', { path, row: i + 1, why })
  })
  const scenes = read.filter((scene) => typeof scene !== 'string')
  const countOf = (kind: string) => read.filter((scene) => scene === kind).length
  return { scenes, wordless: countOf('wordless'), unanswered: countOf('unanswered'), crowded }
}

function sceneOf(
  { image, ocr, regions, question, answers }: z.infer<typeof SceneFile>,
  name: string,
): Scene | 'wordless' | 'unanswered' {
  const words = ocr
    .filter(({ text }) => text.trim() !== '')
    .toSorted((a, b) => b.conf - a.conf)
    .slice(0, SCENE_ROW.words)
  if (words.length === 0) return 'wordless'
  const near = words.map(({ text }) => anls(text, answers))
  const answer = near.indexOf(Math.max(...near))
  if (near[answer] === 0) return 'unanswered'
  const drawn = words.map(({ text }) => text)
  return { name, width: image.w, height: image.h, words, drawn, regions, question, answers, answer }
}

/** FNV-1a, 32 bits. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5
  for (const unit of word) hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193)
  return hash >>> 0
}

/** Words of a question as numbers from 1; 0 stands where there is none. */
function questionIds(question: string): number[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return Array.from({ length: SCENE_ROW.question }, (_, i) =>
    words[i] === undefined ? 0 : 1 + (hashOf(words[i]) % (SCENE_ROW.vocabulary - 1)),
  )
}

export interface Look {
  readonly font: Font
  /** Share of pixels that are turned; none if absent. */
  readonly worn?: { readonly share: number; readonly stream: RandomStream }
}

/** Columns of each letter of a word that is shown, worn or not. */
export const shownLetters = (word: string, { font, worn }: Look): number[][] =>
  [...word].slice(0, SCENE_ROW.letters).map((letter) =>
    columnsOf(letter, font).map((bits) => {
      if (!worn) return bits
      let turned = bits
      for (let bit = 0; bit < LETTER.height; bit++)
        if (worn.stream.uniform() < worn.share) turned ^= 2 ** bit
      return turned
    }),
  )

/** Numbers of a row: the question, then each word's box in shares of the picture, and its pixels. */
export function rowOfScene(scene: Scene, look: Look): string {
  const { width, height, words, drawn, question } = scene
  const blank = new Array<number>(SCENE_ROW.columns).fill(0)
  const numbers = Array.from({ length: SCENE_ROW.words }, (_, i) => {
    const word = words[i]
    const letters = word ? shownLetters(drawn[i]!, look) : []
    const [x0, y0, x1, y1] = word?.box ?? [0, 0, 0, 0]
    const box = [
      (x0 + x1) / 2 / width,
      (y0 + y1) / 2 / height,
      (x1 - x0) / width,
      (y1 - y0) / height,
    ]
    return [
      ...box.map((value) => value.toFixed(4)),
      ...Array.from({ length: SCENE_ROW.letters }, (__, l) => letters[l] ?? blank).flat(),
    ]
  })
  return [...questionIds(question), ...numbers.flat()].join(' ')
}
