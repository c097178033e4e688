/** @file Two sides of one comparison: the ratio of paired times with its interval, and whether both did the same work. */
import { bootstrap } from '../../../evals/statistics/bootstrap.ts'
import { mebibytes, spread, type Memory, type Spread } from './measure.ts'
import type { Outcome, Work } from './works.ts'

export interface Pair {
  readonly ours: Outcome
  readonly torch: Outcome
}

interface Speed {
  readonly ours: Spread
  readonly torch: Spread
  /** Median of torch / median of ours. */
  readonly ratioOfMedians: number
  /** Median over pairs of torch / ours, with the 95 % percentile interval over resampled pairs. */
  readonly ratio: { readonly median: number; readonly lower: number; readonly upper: number }
}

export function compareSpeed(pairs: readonly Pair[], seed: number): Speed {
  const ours = spread(pairs.map((pair) => pair.ours.ms))
  const torch = spread(pairs.map((pair) => pair.torch.ms))
  const ratios = pairs.map((pair) => pair.torch.ms / pair.ours.ms)
  const { estimate, lower, upper } = bootstrap(
    ratios.length,
    (drawn) => spread(Array.from(drawn, (i) => ratios[i]!)).median,
    { seed },
  )
  return {
    ours,
    torch,
    ratioOfMedians: torch.median / ours.median,
    ratio: { median: estimate!, lower: lower!, upper: upper! },
  }
}

interface Sameness {
  readonly same: boolean
  /** One clause that names the numbers. */
  readonly evidence: string
}

/** Rounding alone drives two trainings apart, so the losses after a few updates are held more loosely than the first one. */
const FIRST_LOSS = 5e-6
const LATER_LOSSES = 1e-3
/** Where ours is approximate by choice. */
const APPROXIMATE_FIRST_LOSS = 1e-4
const COMPARED_STEPS = 5

/** Losses must agree to five digits before the first update and nearly so after the next ones; tokens must always be equal. */
export function compareWork(all: readonly Pair[], isApproximate = false): Sameness {
  if (all[0]!.ours.tokens) return compareTokens(all)
  const lossesOf = (side: keyof Pair) =>
    (all[0]![side].losses ?? all.map((pair) => pair[side].loss!)).slice(0, COMPARED_STEPS)
  const theirs = lossesOf('torch')
  const differences = lossesOf('ours').map((loss, step) => relative(loss, theirs[step]!))
  const [first, ...later] = differences
  const { ours, torch } = all[0]!
  const drift = Math.max(...differences)
  return {
    same:
      first! <= (isApproximate ? APPROXIMATE_FIRST_LOSS : FIRST_LOSS) &&
      later.every((difference) => difference <= LATER_LOSSES),
    evidence:
      `first loss ${ours.loss!.toPrecision(7)} ours, ${torch.loss!.toPrecision(7)} torch; ` +
      `over the first ${differences.length} steps they differ by at most ${drift.toExponential(1)} of themselves`,
  }
}

function compareTokens(all: readonly Pair[]): Sameness {
  const count = all[0]!.ours.tokens!.flat().length
  const equal = Math.min(
    ...all.map(({ ours, torch }) => {
      const theirs = torch.tokens?.flat() ?? []
      return ours.tokens!.flat().filter((token, i) => token === theirs[i]).length
    }),
  )
  const distinct = new Set(all[0]!.ours.tokens!.flat()).size
  return {
    same: equal === count && all.every(({ torch }) => torch.tokens?.flat().length === count),
    evidence: `${equal} of ${count} new tokens equal (${distinct} different ones)`,
  }
}

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b)

interface MemoryRatio {
  readonly ours: number
  readonly torch: number
  /** Ours / PyTorch's. */
  readonly ratio: number
  readonly bar: number | null
}

interface MemoryRatios {
  /** The largest resident set, bytes. */
  readonly total: MemoryRatio
  /** The most private pages that were seen, bytes. */
  readonly anonymous: MemoryRatio
}

/** Null where the system does not say what a process takes. */
export function compareMemory(
  ours: Memory | null,
  torch: Memory | null,
  bars: Work['memoryBar'] = {},
): MemoryRatios | null {
  if (!ours || !torch) return null
  const of = (key: keyof Memory, bar: number | null = null): MemoryRatio => ({
    ours: ours[key],
    torch: torch[key],
    bar,
    ratio: ours[key] / torch[key],
  })
  return {
    total: of('peakBytes', bars.total),
    anonymous: of('anonymousBytes', bars.anonymous),
  }
}

export const showMemory = ({ total, anonymous }: MemoryRatios): string[] => [
  showRatio('peak memory', total),
  showRatio('private pages at their peak', anonymous),
]

function showRatio(what: string, { ours, torch, ratio, bar }: MemoryRatio): string {
  const verdict = bar === null ? '' : `; the bar is ${bar}: ${ratio <= bar ? 'met' : 'NOT MET'}`
  return `  ${what} ${mebibytes(ours)} ours, ${mebibytes(torch)} torch: ${ratio.toFixed(2)}${verdict}`
}
