/** @file Which words of two texts differ: what is left when their longest common subsequence of words is taken out. */

interface Part {
  readonly text: string
  readonly isChanged: boolean
}

/** The table has a cell for each pair of words; longer texts are shown as they are. */
const MOST_WORDS = 600

/** Words with the white space behind them. */
const wordsOf = (text: string): string[] => text.match(/\S+\s*|^\s+/gu) ?? []

export function wordDiff(before: string, after: string): { before: Part[]; after: Part[] } {
  const [a, b] = [wordsOf(before), wordsOf(after)]
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) {
    const whole = (text: string): Part[] => [{ text, isChanged: false }]
    return { before: whole(before), after: whole(after) }
  }
  const [inA, inB] = commonOf(a, b)
  return { before: partsOf(a, inA), after: partsOf(b, inB) }
}

const isSame = (a: string, b: string) => a.trimEnd() === b.trimEnd()

/** The places of a longest common subsequence in both lists. */
function commonOf(a: readonly string[], b: readonly string[]): [Set<number>, Set<number>] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = isSame(a[i]!, b[j]!)
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  const [inA, inB] = [new Set<number>(), new Set<number>()]
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (isSame(a[i]!, b[j]!)) {
      inA.add(i++)
      inB.add(j++)
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++
    else j++
  }
  return [inA, inB]
}

/** Neighbours that are alike stand together. */
function partsOf(words: readonly string[], common: ReadonlySet<number>): Part[] {
  const parts: { text: string; isChanged: boolean }[] = []
  words.forEach((text, place) => {
    const isChanged = !common.has(place)
    const last = parts.at(-1)
    if (last?.isChanged === isChanged) last.text += text
    else parts.push({ text, isChanged })
  })
  return parts
}
