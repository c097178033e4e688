/**
 * @file Where an answer stands in a scene, and what it says (Zhu et al. 2023): regions of the picture score words by where they
 * are, the question scores them by what they say, and words that are kept are read in order and mended.
 */

/** x0, y0, x1, y1, y downwards. */
type Box = readonly [number, number, number, number]

export interface SceneWord {
  readonly text: string
  readonly box: Box
}

export interface Region {
  readonly box: Box
  readonly score: number
}

const areaOf = ([x0, y0, x1, y1]: Box) => Math.max(0, x1 - x0) * Math.max(0, y1 - y0)

function shared(a: Box, b: Box): number {
  const [x0, y0] = [Math.max(a[0], b[0]), Math.max(a[1], b[1])]
  return areaOf([x0, y0, Math.min(a[2], b[2]), Math.min(a[3], b[3])])
}

/** Intersection over union. */
export function iou(a: Box, b: Box): number {
  const both = shared(a, b)
  const union = areaOf(a) + areaOf(b) - both
  return union === 0 ? 0 : both / union
}

/** Below it a word counts by how much of it a region holds. */
const APART = 0.1

/** v_i: the largest score · overlap of a region. */
export function seen(box: Box, regions: readonly Region[]): number {
  const overlap = (region: Box) => {
    const ratio = iou(box, region)
    return ratio < APART ? shared(box, region) / Math.max(areaOf(box), Number.MIN_VALUE) : ratio
  }
  return Math.max(0, ...regions.map(({ box: region, score }) => score * overlap(region)))
}

const GRAM = 3

function grams(text: string): Map<string, number> {
  const padded = ` ${text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `
  const counts = new Map<string, number>()
  for (let i = 0; i + GRAM <= padded.length; i++) {
    const gram = padded.slice(i, i + GRAM)
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}

const norm = (counts: ReadonlyMap<string, number>) =>
  Math.sqrt([...counts.values()].reduce((sum, n) => sum + n * n, 0))

/** t_i: softmax over the words of the cosine of their three-letter counts with the question's. */
export function spoken(words: readonly string[], question: string): number[] {
  const asked = grams(question)
  const cosines = words.map((word) => {
    const own = grams(word)
    const dot = [...own].reduce((sum, [gram, n]) => sum + n * (asked.get(gram) ?? 0), 0)
    return dot / Math.max(norm(own) * norm(asked), Number.MIN_VALUE)
  })
  const powers = cosines.map(Math.exp)
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

/** S_i = v_i^a · t_i^(1 − a): a = 1 is the picture alone, a = 0 the question's words alone. */
export const together = (v: readonly number[], t: readonly number[], a = 0.5): number[] =>
  v.map((value, i) => value ** a * t[i]! ** (1 - a))

/** Words with a score of at least half of the largest. */
const KEPT = 0.5

export function kept<W extends SceneWord>(words: readonly W[], scores: readonly number[]): W[] {
  const least = KEPT * Math.max(...scores)
  return readingOrder(words.filter((_, i) => scores[i]! >= least && scores[i]! > 0))
}

/** Share of the lower box's height by which boxes of one line overlap. */
const SAME_LINE = 0.5

/** Lines from the top, words of a line from the left. */
function readingOrder<W extends SceneWord>(words: readonly W[]): W[] {
  const lines: W[][] = []
  for (const word of words.toSorted((a, b) => a.box[1] - b.box[1])) {
    const line = lines.find(([first]) => overlapInHeight(first!.box, word.box) > SAME_LINE)
    if (line) line.push(word)
    else lines.push([word])
  }
  return lines.flatMap((line) => line.toSorted((a, b) => a.box[0] - b.box[0]))
}

function overlapInHeight([, a0, , a1]: Box, [, b0, , b1]: Box): number {
  const both = Math.min(a1, b1) - Math.max(a0, b0)
  return both / Math.max(Math.min(a1 - a0, b1 - b0), Number.MIN_VALUE)
}

/** Levenshtein's distance, in characters. */
export function editDistance(a: string, b: string): number {
  const [from, to] = [[...a], [...b]]
  let row = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (const [i, letter] of from.entries()) {
    const next = [i + 1]
    for (const [j, other] of to.entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + Number(letter !== other)))
    row = next
  }
  return row.at(-1)!
}

/** Farther words are other words. */
const MENDED = 2

/** The nearest word of a dictionary within two edits; the word itself where none is. */
export function mended(word: string, dictionary: readonly string[]): string {
  const lower = word.toLowerCase()
  let best = { word: lower, distance: MENDED + 1 }
  for (const known of dictionary) {
    const distance = editDistance(lower, known)
    if (distance < best.distance) best = { word: known, distance }
  }
  return best.word
}
