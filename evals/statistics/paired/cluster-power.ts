/**
 * @file How often the tests of clusters decide, by drawing fine-tunes: the share of prompts that a cluster loses is beta-binomial
 * with an intra-cluster correlation, and so many prompts are gained by themselves. No formula counts all that these tests take
 * off for clusters that are not seen.
 */
import { chiSquare, randomStream, type RandomStream } from '../random.ts'
import type { PromptPair } from '../repeated.ts'
import { dependentMarginTests } from './dependent.ts'
import type { Change } from './power.ts'

interface Drawn {
  readonly clusters: number
  readonly size: number
  readonly icc: number
}

interface Asked {
  readonly margin: number
  /** Of a PASS, and of a FAIL. */
  readonly below: number
  readonly above: number
  readonly draws: number
}

/** Shares of the drawn fine-tunes of which the harm is shown to be below the margin, and above it. */
export function clusterPower(
  drawn: Drawn,
  change: Change,
  { margin, below, above, draws }: Asked,
): { readonly below: number; readonly above: number } {
  const stream = randomStream(0, JSON.stringify(['cluster power', drawn, change]))
  const shown = { below: 0, above: 0 }
  for (let draw = 0; draw < draws; draw++) {
    const tests = dependentMarginTests(promptsOf(drawn, change, stream), margin)!
    if (tests.below <= below) shown.below++
    if (tests.above <= above) shown.above++
  }
  return { below: shown.below / draws, above: shown.above / draws }
}

function promptsOf(
  { clusters, size, icc }: Drawn,
  { lost, gained }: Change,
  stream: RandomStream,
): PromptPair[] {
  return Array.from({ length: clusters }, (_, c) => {
    const share = betaDraw(lost, icc, stream)
    return Array.from({ length: size }, (): PromptPair => {
      const at = stream.uniform()
      return {
        before: [Number(at >= gained)],
        after: [Number(at < 1 - share)],
        ...(size > 1 && { cluster: String(c) }),
      }
    })
  }).flat()
}

/** Beta(a, b) with this mean and the intra-class correlation 1/(a + b + 1). */
function betaDraw(mean: number, icc: number, stream: RandomStream): number {
  if (icc === 0 || mean <= 0 || mean >= 1) return mean
  if (icc === 1) return Number(stream.uniform() < mean)
  const degrees = 2 * (1 / icc - 1)
  const a = chiSquare(mean * degrees, stream)
  return a / (a + chiSquare((1 - mean) * degrees, stream))
}
