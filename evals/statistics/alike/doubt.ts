/** @file Why texts cannot tell whether they are independent of one another. */
/** Words of a phrase. */
const PHRASE = 4
/** As many templates, or fewer, cannot rule out 5 points at α = 0.05: (1 − 0.05)^58 > 0.05. */
const PHRASES = 58
/** A phrase of fewer texts is chance. */
const OFTEN = 3
/** Of the texts: that many behind so few phrases, or behind one, may be so many templates. */
const COVERED = 0.75
const COVERED_BY_ONE = 0.5
/** Texts of fewer words have no form to compare. */
const SHORT = 3
/** A language of fewer of the texts is a guess. */
const RARELY = 0.03
/** Share of texts that may be doubtful. */
export const FEW = 0.1

/** Short texts, phrases or a question that most texts share, or several languages; how many texts that is. */
export interface Doubt {
  readonly texts: number
  readonly shortOf?: number
  readonly phrases?: readonly string[]
  readonly question?: string
  readonly languages?: number
}

/** Texts of more than one language may say the same: those that are not of the first one. */
export function languagesDoubt(languages: readonly (string | undefined)[]): Doubt | undefined {
  const counts = new Map<string, number>()
  for (const each of languages) if (each) counts.set(each, (counts.get(each) ?? 0) + 1)
  const often = [...counts.values()].filter((count) => count > RARELY * languages.length)
  const [, ...others] = often.sort((a, b) => b - a)
  const texts = others.reduce((sum, count) => sum + count, 0)
  return texts > FEW * languages.length ? { texts, languages: often.length } : undefined
}

/** `texts` are those without a group, as sentences of words, of `all` texts. */
export function doubtAbout(texts: readonly string[][][], all: number): Doubt | undefined {
  const short = texts.filter((text) => text.flat().length < SHORT).length
  if (short > FEW * all) return { texts: short, shortOf: SHORT }
  if (texts.length <= 2 * FEW * all) return undefined
  const { covered, phrases } = coverOf(texts)
  const total = covered.reduce((sum, count) => sum + count, 0)
  const isCovered =
    (covered[0] ?? 0) > COVERED_BY_ONE * texts.length || total >= COVERED * texts.length
  return isCovered ? { texts: total, phrases } : undefined
}

/** Phrases that cover the texts, each taken for how many it adds, the most first. */
function coverOf(texts: readonly string[][][]) {
  const places = new Map<string, number[]>()
  for (const [i, text] of texts.entries())
    for (const phrase of phrasesOf(text)) {
      const own = places.get(phrase)
      if (own) own.push(i)
      else places.set(phrase, [i])
    }
  const known = [...places].filter(([, own]) => own.length >= OFTEN)
  const seen = new Uint8Array(texts.length)
  const [covered, phrases]: [number[], string[]] = [[], []]
  for (let k = 0; k < PHRASES; k++) {
    const best = bestOf(known, seen)
    if (!best) break
    for (const i of best.own) seen[i] = 1
    covered.push(best.adds)
    phrases.push(best.phrase)
  }
  return { covered, phrases }
}

function bestOf(known: readonly (readonly [string, readonly number[]])[], seen: Uint8Array) {
  let best: { phrase: string; own: readonly number[]; adds: number } | undefined
  for (const [phrase, own] of known) {
    if (own.length <= (best?.adds ?? OFTEN - 1)) continue
    const adds = own.reduce((sum, i) => sum + 1 - seen[i]!, 0)
    if (adds > (best?.adds ?? OFTEN - 1)) best = { phrase, own, adds }
  }
  return best
}

const phrasesOf = (text: readonly string[][]): Set<string> =>
  new Set(
    text.flatMap((segment) =>
      segment.slice(PHRASE - 1).map((_, i) => segment.slice(i, i + PHRASE).join(' ')),
    ),
  )
