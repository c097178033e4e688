/**
 * @file A test at one of several looks. Its level there is a(γ), the level that keeps the chance of having rejected by then at what γ
 * may spend; its sequential p-value is the γ with a(γ) = p (Liu and Anderson, Statistics in Medicine 27 (2008)), which is at most γ
 * with a probability of at most γ however it was stopped, so that Holm holds on it as on any p. The interval whose limits are
 * tested at the look's level covers at any look (Jennison and Turnbull, JRSS B 51 (1989)).
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'
import { exactBelow } from '../paired/non-inferiority.ts'
import { nominalLevels } from './nominal-levels.ts'
import { criticalScores } from './paired-table.ts'
import { spentBy, type Spending } from './spending.ts'

export interface Look {
  readonly spending: Spending
  /** Information by each look, ascending to 1 at the last. */
  readonly fractions: readonly number[]
  /** Which of them it is, from 0. */
  readonly at: number
}

export const isLastLook = ({ fractions, at }: Look): boolean => at === fractions.length - 1

const remembered = <T>(most: number) => {
  const known = new Map<string, T>()
  return (key: string, make: () => T): T => {
    const found = known.has(key) ? known.get(key)! : make()
    known.set(key, found)
    if (known.size > most) known.delete(known.keys().next().value!)
    return found
  }
}

const levels = remembered<number>(4096)

/** a(γ): what p must not exceed at this look. */
export function levelAt({ spending, fractions, at }: Look, gamma: number): number {
  const upTo = fractions.slice(0, at + 1)
  return levels(`${spending} ${upTo.join(' ')} ${gamma}`, () =>
    spending === 'curtailment'
      ? Number(upTo.at(-1)! >= 1) * gamma
      : nominalLevels(upTo, spentBy(spending, upTo, gamma)).at(-1)!,
  )
}

/** The largest sequential p that is told apart; a test that is further from rejecting has at least this. */
const LARGEST = 0.5
/** Normal scores between which the root is sought first, so that levels are remembered for many p. */
const SPACING = 0.25
/** In normal scores. */
const CLOSE = 1e-8
const STEPS = 24

/** The γ with a(γ) = p, by false position in normal scores, in which a is nearly straight. */
export function sequentialP(p: number, look: Look): number {
  if (look.spending === 'curtailment') return isLastLook(look) ? p : 1
  if (p > levelAt(look, LARGEST)) return Math.max(LARGEST, p)
  const wanted = scoreOf(p)
  const beyond = (z: number) => scoreOf(levelAt(look, normalLowerTail(-z))) - wanted
  let [low, high] = bracketOf(beyond)
  let [atLow, atHigh] = [beyond(low), beyond(high)]
  if (atHigh <= CLOSE) return normalLowerTail(-high)
  for (let i = 0; i < STEPS && atLow < -CLOSE; i++) {
    // Every third step halves, where a chord would creep along one end.
    const chord = high - (atHigh * (high - low)) / (atHigh - atLow)
    const z = i % 3 === 2 ? (low + high) / 2 : chord
    const atZ = beyond(z)
    if (Math.abs(atZ) <= CLOSE) return normalLowerTail(-z)
    if (atZ < 0) [low, atLow] = [z, atZ]
    else [high, atHigh] = [z, atZ]
  }
  return normalLowerTail(-low)
}

/** Neighbours on the grid with the root between them. */
function bracketOf(beyond: (z: number) => number): [low: number, high: number] {
  let [low, high] = [0, FARTHEST / SPACING]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (beyond(middle * SPACING) <= 0) low = middle
    else high = middle
  }
  return [low * SPACING, high * SPACING]
}

/** Beyond it a level counts as none. */
const FARTHEST = 8

const scoreOf = (p: number): number => (p <= 1e-15 ? FARTHEST : -normalQuantile(p))

/** Units up to which the paired table is carried; beyond, levels are those of scores, which differ by less. */
const EXACT_UP_TO = 200
const factors = remembered<number>(512)
/** The critical outcome itself passes, however its p is rounded. */
const ROUNDING = 1e-6

/**
 * What p of the paired test with so many units is multiplied with, so that its sequential p is at most `alpha` exactly where the
 * paired table allows it: a(alpha) over p of the table's critical outcome.
 */
export function pairedFactor(
  look: Look,
  {
    units,
    margin,
    alpha,
  }: { readonly units: number; readonly margin: number; readonly alpha: number },
): number {
  const { spending, fractions, at } = look
  if (spending === 'curtailment' || units > EXACT_UP_TO) return 1
  const upTo = fractions.slice(0, at + 1)
  const sizes = upTo.map((t) => Math.max(1, Math.round((units * t) / upTo[at]!)))
  return factors(`${spending} ${upTo.join(' ')} ${units} ${margin} ${alpha}`, () => {
    const critical = criticalScores(sizes, margin, spentBy(spending, upTo, alpha)).at(-1)!
    if (critical === -Infinity) return Infinity
    return (levelAt(look, alpha) / exactBelow(units, margin, critical)) * (1 - ROUNDING)
  })
}
