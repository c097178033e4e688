/** @file How right an answer to a question on a picture is, in [0, 1]. */
import { editDistance } from './locate.ts'

const plain = (text: string) => text.trim().toLowerCase()

/**
 * VQA accuracy (Antol et al., ICCV 2015): the mean over the sets that leave one reference out of min(matches/3, 1). Of ten
 * references 0, 1, 2, 3, ≥ 4 matches give 0, .3, .6, .9, 1.
 */
export function vqaAccuracy(answer: string, references: readonly string[]): number {
  const isSame = references.map((reference) => plain(reference) === plain(answer))
  const matches = isSame.filter(Boolean).length
  if (references.length < 2) return matches
  const sum = isSame.reduce((total, same) => total + Math.min((matches - Number(same)) / 3, 1), 0)
  return sum / references.length
}

/** A reference that is further off gives nothing. */
const FAR = 0.5

/** Average normalised Levenshtein similarity of one answer (Biten et al., ICCV 2019): 1 − edits/length, the best reference. */
export function anls(answer: string, references: readonly string[]): number {
  const scores = references.map((reference) => {
    const [a, b] = [plain(answer), plain(reference)]
    const off = editDistance(a, b) / Math.max(1, [...a].length, [...b].length)
    return off < FAR ? 1 - off : 0
  })
  return Math.max(0, ...scores)
}
