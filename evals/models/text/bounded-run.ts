/**
 * @file Ends what a stranger's tokenizer computes. Regular expressions of a `tokenizer.json` run on V8's backtracking engine,
 * where `(([a-z ,])+)+!$` takes exponential time. Expressions and texts for which that cannot matter run as they are.
 */
import { createContext, Script } from 'node:vm'

/** Processor time of one text, in milliseconds; and for each of its characters, several times what a slow tokenizer needs. */
const DEADLINE_MS = 2000
const DEADLINE_MS_A_CHARACTER = 0.05
/** A text this short cannot keep a plain expression for longer than that. */
const SHORT = 2048
/** Longer ones are no language, and would take minutes and gigabytes. */
const LONGEST_WORD = 2 ** 20

export interface Stopped {
  /** Why it was stopped: part of a sentence. */
  readonly why: string
}

interface Bounds {
  /** Of the text. */
  readonly characters: number
  /** Whether all expressions are plain: see `isPlain`. */
  readonly isPlain: boolean
}

const context = createContext({ run: () => undefined as unknown })
const script = new Script('run()')

/** Runs `action`, which gives the same each time; throws what `stopped` makes of it once it took too long. */
export function boundedRun<T>(
  action: () => T,
  { characters, isPlain }: Bounds,
  stopped: (found: Stopped) => Error,
): T {
  if (isPlain && characters <= SHORT) return action()
  const deadline = DEADLINE_MS + characters * DEADLINE_MS_A_CHARACTER
  // V8 can be stopped by the clock alone: beside busy processes it is asked again, for as long as this thread's share needs.
  for (let timeout = deadline; ;) {
    const before = process.threadCpuUsage()
    try {
      context.run = action
      return script.runInContext(context, { timeout: Math.ceil(timeout) }) as T
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      const { user, system } = process.threadCpuUsage(before)
      const share = Math.max(0.01, (user + system) / 1000 / timeout)
      if (share * timeout < deadline * 0.9) {
        timeout = Math.max(timeout, deadline / share) * 1.2
        continue
      }
      const seconds = (deadline / 1000).toFixed(1)
      throw stopped({ why: `it was not done after ${seconds} s of processor time` })
    } finally {
      context.run = () => undefined
    }
  }
}

/** Why a text is not tokenized at all: undefined for those of people. */
export function longWord(text: string): Stopped | undefined {
  if (text.length <= LONGEST_WORD) return undefined
  const spaces = /\s+|$/gu
  for (let start = 0; start < text.length; start = spaces.lastIndex) {
    spaces.lastIndex = start
    const length = spaces.exec(text)!.index - start
    if (length > LONGEST_WORD)
      return { why: `it holds a word of ${length} characters; at most ${LONGEST_WORD} are read` }
    if (spaces.lastIndex === start) break
  }
  return undefined
}

/** Every regular expression of a tokenizer's stages. */
export function expressionsIn(stage: unknown): string[] {
  if (typeof stage !== 'object' || stage === null) return []
  return Object.entries(stage).flatMap(([name, value]) =>
    name === 'Regex' && typeof value === 'string' ? [value] : expressionsIn(value),
  )
}

/** A stand-in for a part that matches one character. */
const ONE = 'x'

/**
 * Whether an expression is plain: no group is repeated without end, nothing refers back, and no alternative has more than
 * two repetitions, so that a search takes at most cubic time. The patterns of published tokenizers are.
 */
export function isPlain(expression: string): boolean {
  if (expression.length > LONGEST_PLAIN || /\\[1-9k]/u.test(expression)) return false
  let rest = expression
    .replaceAll(/\\[pPu]\{[^}]*\}|\\[\s\S]/gu, ONE)
    .replaceAll(/\[:\^?\w+:\]/gu, ONE)
  rest = untilStable(rest, (text) => text.replaceAll(/\[[^[\]]*\]/gu, ONE))
  rest = rest
    .replaceAll(/\{\d+(?:,(?:\d|1\d))?\}[+?]?/gu, '')
    .replaceAll(/(?:[*+]|\{\d*,\d*\})[+?]?/gu, '+')
  if (/\)\+/u.test(rest)) return false
  const flat = untilStable(rest, (text) =>
    text.replaceAll(/\((?:\?(?:<\w+>|<?[=!]|>|[a-z-]*:))?([^()]*)\)/gu, (_, body: string) =>
      ONE.concat('+'.repeat(repetitions(body))),
    ),
  )
  return !/[()]/u.test(flat) && repetitions(flat) <= MOST_REPETITIONS
}

const LONGEST_PLAIN = 4096
const MOST_REPETITIONS = 2

/** The most that one alternative has. */
const repetitions = (body: string) =>
  Math.max(...body.split('|').map((each) => each.split('+').length - 1))

function untilStable(text: string, step: (text: string) => string): string {
  const next = step(text)
  return next === text ? text : untilStable(next, step)
}
