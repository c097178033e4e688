/**
 * @file Near-duplicates by MinHash (Broder 1997): the share of equal minima of two sets' hashes estimates their Jaccard
 * index. Candidates share a band of minima (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, §3.4); each is then
 * held against the exact index, so a pair that is shown is one.
 */

/** Bands × rows a band: a pair of Jaccard index s meets with probability 1 − (1 − s^3)^42, 0.9999 at s = 0.6. */
const BANDS = 42
const ROWS = 3
const MINIMA = BANDS * ROWS
/** Words a shingle; texts of fewer words are one shingle. */
const SHINGLE = 3

/** The word trigrams of a text, case and punctuation aside. */
export function shinglesOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  if (words.length <= SHINGLE) return new Set(words.length === 0 ? [] : [words.join(' ')])
  return new Set(words.slice(SHINGLE - 1).map((_, i) => words.slice(i, i + SHINGLE).join(' ')))
}

/** |A ∩ B| / |A ∪ B|. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0
  for (const shingle of a) if (b.has(shingle)) common++
  return common === 0 ? 0 : common / (a.size + b.size - common)
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** The finaliser of MurmurHash3 over a seed: one hash gives as many as are wanted. */
function remix(hash: number, seed: number): number {
  let x = (hash ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

function minimaOf(shingles: ReadonlySet<string>): Uint32Array {
  const minima = new Uint32Array(MINIMA).fill(0xffffffff)
  for (const shingle of shingles) {
    const hash = hashOf(shingle)
    for (let i = 0; i < MINIMA; i++) minima[i] = Math.min(minima[i]!, remix(hash, i))
  }
  return minima
}

const bandsOf = (minima: Uint32Array): string[] =>
  Array.from(
    { length: BANDS },
    (_, band) => `${band}:${minima.subarray(band * ROWS, (band + 1) * ROWS).join(',')}`,
  )

interface NearDuplicate {
  readonly key: string
  /** Jaccard index of their word trigrams. */
  readonly similarity: number
}

export interface NearDuplicateIndex {
  /** The most similar text of the index, if it is at least as near as the index was asked to find. */
  nearest(text: string): NearDuplicate | undefined
}

/** Texts under keys, to be asked for near-duplicates. */
export function nearDuplicateIndex(
  texts: Iterable<{ readonly key: string; readonly text: string }>,
  threshold: number,
): NearDuplicateIndex {
  const shingles = new Map<string, Set<string>>()
  const keysOfBand = new Map<string, string[]>()
  const known = new Set<string>()
  for (const { key, text } of texts) {
    const own = shinglesOf(text)
    if (own.size === 0) continue
    shingles.set(key, own)
    own.forEach((shingle) => known.add(shingle))
    for (const band of bandsOf(minimaOf(own))) {
      const keys = keysOfBand.get(band)
      if (keys) keys.push(key)
      else keysOfBand.set(band, [key])
    }
  }
  return {
    nearest(text) {
      const own = shinglesOf(text)
      // Most texts share no shingle with any, and need no minima.
      if (![...own].some((shingle) => known.has(shingle))) return undefined
      const candidates = new Set(
        bandsOf(minimaOf(own)).flatMap((band) => keysOfBand.get(band) ?? []),
      )
      let best: NearDuplicate | undefined
      for (const key of candidates) {
        const similarity = jaccard(own, shingles.get(key)!)
        if (similarity >= threshold && similarity > (best?.similarity ?? 0))
          best = { key, similarity }
      }
      return best
    },
  }
}

/** From this Jaccard index two texts of a group share about half of their trigrams: a template with another word or two. */
const ALIKE = 0.3
/** A trigram in more than half of the texts, and in more than this many, is an instruction or solved examples before all. */
const FEW = 20

/**
 * Groups of texts that are near-duplicates of one another, directly or through others of the group (single linkage), by the key
 * of each text in one: the group's first key. Texts that are like no other have no entry.
 */
export function nearDuplicateGroups(
  texts: readonly { readonly key: string; readonly text: string }[],
): ReadonlyMap<string, string> {
  const parent = Int32Array.from(texts, (_, i) => i)
  const rootOf = (i: number): number => {
    let root = i
    while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!
    return root
  }
  const shingles = withoutCommon(texts.map(({ text }) => shinglesOf(text)))
  for (const [one, two] of meetings(shingles)) {
    const [earlier, later] = [rootOf(one), rootOf(two)]
    if (earlier !== later && jaccard(shingles[two]!, shingles[one]!) >= ALIKE)
      parent[later] = earlier
  }
  return new Map(
    [...Map.groupBy(texts.keys(), rootOf).values()]
      .filter(({ length }) => length > 1)
      .flatMap((group) => group.map((i) => [texts[i]!.key, texts[group[0]!]!.key] as const)),
  )
}

/** Each text of a band with the first that has the same minima in it, band after band. */
function* meetings(all: readonly ReadonlySet<string>[]): Generator<readonly [number, number]> {
  const minima = new Uint32Array(all.length * MINIMA)
  all.forEach((own, i) => minima.set(minimaOf(own), i * MINIMA))
  // Open addressing: 1 + the text that came first to a place, 0 where none did.
  const places = new Int32Array(2 ** Math.ceil(Math.log2(2 * all.length + 1)))
  for (let from = 0; from < MINIMA; from += ROWS) {
    places.fill(0)
    for (const [i, own] of all.entries()) {
      if (own.size === 0) continue
      const first = placed(places, minima, { i, from })
      if (first !== i) yield [first, i]
    }
  }
}

/** The first text with the minima that text `i` has from `from` on: `i` itself, which is put into its place, if none was before. */
function placed(
  places: Int32Array,
  minima: Uint32Array,
  { i, from }: { readonly i: number; readonly from: number },
): number {
  const own = i * MINIMA + from
  const isSame = (other: number) => {
    for (let row = 0; row < ROWS; row++) {
      if (minima[other * MINIMA + from + row] !== minima[own + row]) return false
    }
    return true
  }
  let hash = 0
  for (let row = 0; row < ROWS; row++) hash = remix(hash ^ minima[own + row]!, row)
  let place = hash % places.length
  while (places[place] !== 0 && !isSame(places[place]! - 1)) place = (place + 1) % places.length
  places[place] ||= i + 1
  return places[place]! - 1
}

function withoutCommon(all: readonly ReadonlySet<string>[]): Set<string>[] {
  const counts = new Map<string, number>()
  for (const own of all) for (const each of own) counts.set(each, (counts.get(each) ?? 0) + 1)
  const most = Math.max(FEW, all.length / 2)
  return all.map((own) => new Set([...own].filter((each) => counts.get(each)! <= most)))
}
