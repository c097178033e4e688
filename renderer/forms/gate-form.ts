/** @file Between what a person types for a gate and the gate itself, and what it would decide in words. */
import type { GateClaim, GateOutcome } from '../../evals/contract/gate.ts'

/** In percent of prompts, as typed; empty: the benchmark is not gated, or the bound is that of its role. */
export interface TypedRow {
  readonly margin: string
  readonly floor: string
  readonly ceiling: string
}

export const BLANK: TypedRow = { margin: '5', floor: '', ceiling: '' }
const FIELDS = ['margin', 'floor', 'ceiling'] as const

interface Typed {
  /** As a gate file has it. */
  readonly gate: Readonly<Record<string, unknown>>
  /** By benchmark, in words; the gate holds only where there is none. */
  readonly problems: ReadonlyMap<string, string>
}

const NAMES = { margin: 'margin', floor: 'least rate', ceiling: 'largest rate' } as const

function problemOf(row: TypedRow): string | undefined {
  const wrong = FIELDS.find((field) => {
    const value = Number(row[field])
    return row[field].trim() !== '' && !(value > 0 && value < 100)
  })
  if (wrong) return `The ${NAMES[wrong]} has to be a number above 0 and below 100.`
  if (
    row.floor.trim() !== '' &&
    row.ceiling.trim() !== '' &&
    Number(row.floor) >= Number(row.ceiling)
  )
    return 'The least rate has to be below the largest.'
  return undefined
}

export function typedGate(rows: ReadonlyMap<string, TypedRow>): Typed {
  const gated = [...rows].filter(([, { margin }]) => margin.trim() !== '')
  const problems = new Map(
    gated.flatMap(([name, row]) => {
      const problem = problemOf(row)
      return problem === undefined ? [] : [[name, problem] as const]
    }),
  )
  const shareOf = (row: TypedRow) =>
    Object.fromEntries(
      FIELDS.flatMap((field) =>
        row[field].trim() === '' ? [] : [[field, Number(row[field]) / 100] as const],
      ),
    )
  const benchmarks = Object.fromEntries(gated.map(([name, row]) => [name, shareOf(row)]))
  return { gate: { benchmarks }, problems }
}

/** The worst first. */
const WORST: readonly GateOutcome[] = ['FAIL', 'NOT COMPARABLE', 'INCONCLUSIVE', 'PASS']

/** Of the claims on one benchmark the one that decides, or undefined. */
export function decidingClaim(
  claims: readonly GateClaim[],
  benchmark: string,
): GateClaim | undefined {
  const own = claims.filter((claim) => claim.benchmark === benchmark)
  const overOf = (claim: GateClaim) => promptsOver(claim) ?? -Infinity
  return own.toSorted(
    (a, b) =>
      WORST.indexOf(a.outcome) - WORST.indexOf(b.outcome) ||
      Number(isBound(a)) - Number(isBound(b)) ||
      overOf(b) - overOf(a),
  )[0]
}

const isBound = ({ bound }: GateClaim) => bound !== undefined

/** How many prompts lie beyond the margin or bound; below 0 where it has room. Null where nothing was measured. */
function promptsOver({ bound, after, harm, margin, n }: GateClaim): number | null {
  const beyond = bound
    ? after !== null && (bound.kind === 'floor' ? bound.at - after : after - bound.at)
    : harm !== null && harm - margin
  return typeof beyond === 'number' ? Number((beyond * n).toFixed(9)) : null
}

/** "would FAIL by 2 prompts", "would PASS with room for 4 prompts". */
export function wouldText(claim: GateClaim): string {
  const { outcome, n, bound, category } = claim
  const over = promptsOver(claim)
  const what = bound
    ? bound.kind === 'floor'
      ? ' (least rate)'
      : ' (largest rate)'
    : category === undefined
      ? ''
      : ` (category ${category})`
  if (over === null) return `would be ${outcome}: it was not measured on both sides`
  const count = over > 0 ? Math.ceil(over) : Math.floor(-over)
  const prompts = `${count} ${count === 1 ? 'prompt' : 'prompts'}`
  if (outcome === 'FAIL') return `would FAIL by ${prompts} of ${n}${what}`
  if (outcome === 'PASS') return `would PASS with room for ${prompts} of ${n}${what}`
  return over > 0
    ? `would be ${outcome}: ${prompts} of ${n} beyond it, too few to show harm${what}`
    : `would be ${outcome}: room for ${prompts} of ${n}, too few to show safety${what}`
}
