/**
 * @file The semantic judge's texts: sentence frames by language and kind from `judges/semantic/words`, expanded at random, and
 * replies composed of them.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RandomStream } from '../../statistics/random.ts'
import { linesOf, readWords } from '../../tables/words.ts'
import type { SegmentClass } from '../../judges/semantic/model.ts'

const FOLDER = join(import.meta.dirname, '../../judges/semantic/words')
const REPLIES = join(import.meta.dirname, '../../judges/semantic/replies')

/** Which class a kind of sentence belongs to. */
export const KINDS: Readonly<Record<string, SegmentClass>> = {
  hard: 'refusal',
  polite: 'refusal',
  policy: 'refusal',
  persona: 'refusal',
  short: 'refusal',
  reason: 'aside',
  offer: 'aside',
  answer: 'content',
  steps: 'content',
  negation: 'content',
  host: 'content',
  caveat: 'content',
  opener: 'courtesy',
  apology: 'courtesy',
  closer: 'courtesy',
}

/** Calibration frames are unlike the training frames; the last training uses both. Nothing uses the held-out ones. */
export type Split = 'training' | 'calibration' | 'heldOut'
/** All but the frames that are held out. */
export const READ_SPLITS: readonly Split[] = ['training', 'calibration']

export interface Language {
  readonly name: string
  /** Frames by kind, `v` for the verb phrases. */
  readonly frames: (kind: string, splits: readonly Split[]) => readonly string[]
}

function splitLines(block: string): Record<Split, string[]> {
  const [training, calibration, heldOut] = block.split(/^(?:--|==)$/mu).map(linesOf)
  return { training: training ?? [], calibration: calibration ?? [], heldOut: heldOut ?? [] }
}

export function readLanguages(): Language[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'))
  return files.sort().map((file) => {
    const blocks = readWords<Record<string, string>>(join(FOLDER, file))
    const kinds = new Map(Object.entries(blocks).map(([kind, text]) => [kind, splitLines(text)]))
    return {
      name: file.slice(0, -'.yaml'.length),
      frames: (kind, splits) => splits.flatMap((split) => kinds.get(kind)?.[split] ?? []),
    }
  })
}

const CHOICE = /\(([^()]*)\)/u
const pick = <T>(values: readonly T[], random: RandomStream): T =>
  values[random.integer(values.length)]!

/** One sentence of a frame, its choices and verb phrase drawn at random. */
function expand(frame: string, verbs: readonly string[], random: RandomStream): string {
  let text = frame
  for (let found = CHOICE.exec(text); found; found = CHOICE.exec(text)) {
    text =
      text.slice(0, found.index) +
      pick(found[1]!.split('|'), random) +
      text.slice(found.index + found[0].length)
  }
  const filled = text.replace('{v}', () => pick(verbs, random)).replaceAll(/ +/g, ' ')
  return filled.trim()
}

/** A sentence of that kind; null where the language has none in these splits. */
export function sentence(
  language: Language,
  kind: string,
  splits: readonly Split[],
  random: RandomStream,
): string | null {
  const frames = language.frames(kind, splits)
  if (frames.length === 0) return null
  const verbs = language.frames('v', splits)
  return expand(
    pick(frames, random),
    verbs.length > 0 ? verbs : language.frames('v', ['training']),
    random,
  )
}

export interface Composed {
  /** Where it stands; empty where it is made of frames. Topics mostly differ between files. */
  readonly file: string
  readonly language: string
  readonly kind: string
  readonly outcome: 'refusal' | 'compliance' | 'partial'
  readonly text: string
  /** What it replies to; absent where nobody knows. */
  readonly prompt?: string
}

/** Labelled replies of a file: groups of an outcome and a kind, each with lines by language, or with one reply and its prompt. */
export function repliesOf(path: string): Composed[] {
  const groups = readWords<Record<string, string>[]>(path)
  return groups.flatMap(({ outcome, kind, reply, ...others }) => {
    const of = { file: path, kind: kind!, outcome: outcome as Composed['outcome'] }
    if (reply !== undefined) {
      const { language, prompt } = others
      return [{ ...of, language: language!, text: reply, ...(prompt !== undefined && { prompt }) }]
    }
    return Object.entries(others).flatMap(([language, block]) =>
      linesOf(block).map((text) => ({ ...of, language, text })),
    )
  })
}

/** Whole replies that are trained on: the first ones, and those of writers, which only what reads the prompt learns from. */
export function trainingReplies(): Record<'first' | 'writers', Composed[]> {
  const files = readdirSync(REPLIES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
  const of = (isTaken: (file: string) => boolean) =>
    files.filter(isTaken).flatMap((file) => repliesOf(join(REPLIES, file)))
  const isWriters = (file: string) => file.startsWith('writers/')
  return { first: of((file) => !isWriters(file)), writers: of(isWriters) }
}

/** Kinds of replies: the kinds of their sentences, `a?` being there half the time. */
const RECIPES: readonly [Composed['outcome'], string, string][] = [
  ['refusal', 'hard', 'opener? hard'],
  ['refusal', 'polite', 'opener? polite'],
  ['refusal', 'policy', 'opener? policy'],
  ['refusal', 'persona', 'persona'],
  ['refusal', 'short', 'short'],
  ['refusal', 'redirect', 'opener? offer offer?'],
  ['refusal', 'long', 'opener polite reason offer'],
  ['compliance', 'plain', 'answer answer? answer?'],
  ['compliance', 'steps', 'steps steps steps'],
  ['compliance', 'opener', 'opener answer closer?'],
  ['compliance', 'apology', 'apology answer answer?'],
  ['compliance', 'mentions', 'negation answer?'],
  ['compliance', 'persona', 'host answer?'],
  ['compliance', 'caveat', 'caveat answer'],
  ['partial', 'refuse-then-comply', 'hard answer answer?'],
  ['partial', 'polite-then-comply', 'apology? polite steps answer'],
]

/** `each` replies of every kind in every language. */
export function compose(
  languages: readonly Language[],
  splits: readonly Split[],
  each: number,
  random: RandomStream,
): Composed[] {
  return languages.flatMap((language) =>
    RECIPES.flatMap(([outcome, kind, recipe]) =>
      Array.from({ length: each }, () => {
        const parts = recipe
          .split(' ')
          .filter((part) => !part.endsWith('?') || random.uniform() < 0.5)
          .map((part) => sentence(language, part.replace('?', ''), splits, random))
        const text = parts.filter((part) => part !== null).join(' ')
        return { file: '', language: language.name, kind, outcome, text }
      }).filter(({ text }) => text !== ''),
    ),
  )
}
