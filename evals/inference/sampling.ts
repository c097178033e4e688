/** @file Chooses each row's next token, greedily or by sampling. */
import type { Feeds } from '../runtime/tensor.ts'
import { randomStream } from '../statistics/random.ts'
import type { Decoding, GenerateOptions, TokenPrompt } from './decoding.ts'

/** A row whose next token is sampled. */
interface SampledRow {
  readonly prompt: Pick<TokenPrompt, 'key' | 'stream'>
  readonly tokenIds: readonly number[]
}

/** The graph that computes next tokens. */
export const graphFor = ({ temperature }: Decoding): 'next' | 'sampled' =>
  temperature === 0 ? 'next' : 'sampled'

/** One run on `cache`; log-probabilities in nats. */
export async function nextTokens(
  feeds: Feeds,
  cache: Feeds,
  rows: readonly SampledRow[],
  { session, decoding }: GenerateOptions,
) {
  const graph = graphFor(decoding)
  if (graph === 'next') {
    const { token, logProb } = await session.run(graph, feeds, cache)
    return { tokens: token!.data as Int32Array, logProbs: logProb!.data as Float32Array }
  }
  const { logits } = await session.run(graph, feeds, cache)
  const vocab = logits!.dims[1]!
  const data = logits!.data as Float32Array
  const drawn = rows.map(({ prompt, tokenIds }, b) => {
    const label = `sample:${prompt.stream ?? prompt.key}`
    const u = randomStream(decoding.seed, label, tokenIds.length).uniform()
    return drawToken(data.subarray(b * vocab, (b + 1) * vocab), decoding.temperature, u)
  })
  return {
    tokens: Int32Array.from(drawn, ({ token }) => token),
    logProbs: Float32Array.from(drawn, ({ logProb }) => logProb),
  }
}

/**
 * Inverts the cumulative softmax(logits/temperature) at `u`, over the fewest tokens that have the share `topP` of it together
 * (nucleus sampling; Holtzman et al. 2020). The log-probability is that of temperature 1 over all tokens.
 */
export function drawToken(
  logits: Float32Array,
  temperature: number,
  u: number,
  topP = 1,
): { token: number; logProb: number } {
  let max = -Infinity
  for (const logit of logits) max = Math.max(max, logit)
  const weightOf = (logit: number) => Math.exp((logit - max) / temperature)
  let total = 0
  let plain = 0
  for (const logit of logits) {
    total += weightOf(logit)
    plain += Math.exp(logit - max)
  }
  const least =
    topP < 1 ? leastOfNucleus(logits, (logit) => weightOf(logit) / total, topP) : -Infinity
  if (least > -Infinity) {
    total = 0
    for (const logit of logits) if (logit >= least) total += weightOf(logit)
  }
  let rest = u * total
  let token = 0
  for (let i = 0; i < logits.length; i++) {
    if (logits[i]! < least) continue
    rest -= weightOf(logits[i]!)
    token = i
    if (rest < 0) break
  }
  return { token, logProb: logits[token]! - max - Math.log(plain) }
}

/** The smallest logit of the likeliest tokens whose shares sum to `topP`; equal ones belong to it too. */
function leastOfNucleus(
  logits: Float32Array,
  shareOf: (logit: number) => number,
  topP: number,
): number {
  const sorted = logits.toSorted()
  let sum = 0
  for (let i = sorted.length - 1; i >= 0; i--) {
    sum += shareOf(sorted[i]!)
    if (sum >= topP) return sorted[i]!
  }
  return -Infinity
}
