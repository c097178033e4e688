/**
 * @file Which texts are of one template, or otherwise so alike that one can stand for the others. Sentences that most texts share
 * (an instruction, solved examples) are left out where enough is left; then two texts are alike that have most of their words in
 * the same order (longest common subsequence), or that are near-duplicates by MinHash. Where the texts cannot tell, it says so.
 */
import { nearDuplicateGroups } from '../minhash.ts'
import { commonLength, sharedCount } from './common.ts'
import { doubtAbout, FEW, languagesDoubt, type Doubt } from './doubt.ts'
import { languageOf } from './languages.ts'
import { questionsIn, segmentsOf } from './tokens.ts'

interface Keyed {
  readonly key: string
  readonly text: string
}

export interface Likeness {
  /** The key of the first text of its group, by key; texts like no other have no entry. */
  readonly of: ReadonlyMap<string, string>
  /** Why the texts cannot tell whether they are independent; undefined where they can. */
  readonly doubt: Doubt | undefined
}

/** Fewer words than this tell nothing without the sentences around them. */
const LEAST_WORDS = 4
/** Share of the longer text's words that two alike ones have in common, in order. */
const ALIKE = 0.65
/** The same of texts of at least `LONG` words: independent ones share fewer of many. */
const ALIKE_LONG = 0.55
const LONG = 12
/** Texts compared each with each; of more, the rest is held against their groups alone. */
const MOST = 1500
/** Of a long text its first and its last words. */
const ENDS = 40

export function likenessOf(texts: readonly Keyed[]): Likeness {
  const whole = texts.map(({ text }) => segmentsOf(text))
  const shared = sharedIn(whole)
  const own = whole.map((text) => without(text, shared))
  const parent = Int32Array.from(texts, (_, i) => i)
  joinNearDuplicates(parent, texts, own)
  joinTemplates(parent, own)
  const groups = [...Map.groupBy(texts.keys(), (i) => rootOf(parent, i)).values()]
  const single = groups.flatMap((group) => (group.length === 1 ? [own[group[0]!]!] : []))
  return {
    of: new Map(
      groups
        .filter(({ length }) => length > 1)
        .flatMap((group) => group.map((i) => [texts[i]!.key, texts[group[0]!]!.key] as const)),
    ),
    doubt:
      doubtAbout(single, texts.length) ??
      questionDoubt(texts, own, shared) ??
      languagesDoubt(texts.map(({ text }, i) => languageOf(text, whole[i]!.flat()))),
  }
}

/** Sentences in more than half of the texts. */
function sharedIn(all: readonly string[][][]): ReadonlySet<string> {
  const counts = new Map<string, number>()
  for (const text of all)
    for (const name of new Set(text.map(nameOf))) counts.set(name, (counts.get(name) ?? 0) + 1)
  return new Set([...counts].flatMap(([name, count]) => (count > all.length / 2 ? name : [])))
}

/** Without shared sentences, unless too little is left. */
function without(text: string[][], shared: ReadonlySet<string>): string[][] {
  const rest = text.filter((segment) => !shared.has(nameOf(segment)))
  return rest.flat().length >= LEAST_WORDS ? rest : text
}

/** More shared sentences than this are solved examples. */
const ONE_REQUEST = 3

/** The same question to each text, which asks nothing itself: what differs may be beside the point. */
function questionDoubt(
  texts: readonly Keyed[],
  own: readonly string[][][],
  shared: ReadonlySet<string>,
): Doubt | undefined {
  if (shared.size === 0 || shared.size > ONE_REQUEST) return undefined
  const asked = texts.map(({ text }) => questionsIn(text).map(nameOf))
  const question = asked.flat().find((name) => shared.has(name))
  if (question === undefined) return undefined
  const alone = asked.filter((names, i) => {
    const left = new Set(own[i]!.map(nameOf))
    return !names.some((name) => left.has(name) && !shared.has(name))
  }).length
  return alone > FEW * texts.length ? { texts: alone, question } : undefined
}

const nameOf = (segment: readonly string[]): string => segment.join(' ')

function rootOf(parent: Int32Array, i: number): number {
  let root = i
  while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!
  return root
}

/** The root of a group is its first text. */
function join(parent: Int32Array, one: number, two: number): void {
  const [a, b] = [rootOf(parent, one), rootOf(parent, two)]
  parent[Math.max(a, b)] = Math.min(a, b)
}

function joinNearDuplicates(
  parent: Int32Array,
  texts: readonly Keyed[],
  own: readonly string[][][],
): void {
  const places = new Map(texts.map(({ key }, i) => [key, i]))
  const found = nearDuplicateGroups(
    texts.map(({ key }, i) => ({ key, text: own[i]!.flat().join(' ') })),
  )
  for (const [key, first] of found) join(parent, places.get(first)!, places.get(key)!)
}

interface Worded {
  readonly place: number
  readonly ids: Int32Array
  readonly sorted: Int32Array
}

function joinTemplates(parent: Int32Array, own: readonly string[][][]): void {
  const all = worded(own)
  const step = Math.max(1, all.length / MOST)
  const drawn = all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
  for (const [i, two] of drawn.entries())
    for (let k = 0; k < i; k++) joinIfAlike(parent, drawn[k]!, two)
  if (step === 1) return
  const groups = Map.groupBy(drawn, ({ place }) => rootOf(parent, place))
  const heads = [...groups.values()].flatMap((group) => (group.length > 1 ? group.slice(0, 2) : []))
  for (const one of all) for (const head of heads) joinIfAlike(parent, head, one)
}

function worded(own: readonly string[][][]): Worded[] {
  const numbers = new Map<string, number>()
  const numberOf = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size
    numbers.set(word, known)
    return known
  }
  return own.map((segments, place) => {
    const words = segments.flat()
    const shown = words.length > 2 * ENDS ? [...words.slice(0, ENDS), ...words.slice(-ENDS)] : words
    const ids = Int32Array.from(shown, numberOf)
    return { place, ids, sorted: ids.toSorted() }
  })
}

function joinIfAlike(parent: Int32Array, one: Worded, two: Worded): void {
  const longer = Math.max(one.ids.length, two.ids.length)
  const needed = Math.max(2, (longer < LONG ? ALIKE : ALIKE_LONG) * longer - 1e-9)
  if (Math.min(one.ids.length, two.ids.length) < needed) return
  if (rootOf(parent, one.place) === rootOf(parent, two.place)) return
  if (sharedCount(one.sorted, two.sorted) < needed) return
  if (commonLength(one.ids, two.ids) >= needed) join(parent, one.place, two.place)
}
