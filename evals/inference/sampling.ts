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

/** Inverts the cumulative softmax(logits/temperature) at `u`. The log-probability is that of temperature 1. */
function drawToken(
  logits: Float32Array,
  temperature: number,
  u: number,
): { token: number; logProb: number } {
  let max = -Infinity
  for (const logit of logits) max = Math.max(max, logit)
  let total = 0
  let plain = 0
  for (const logit of logits) {
    total += Math.exp((logit - max) / temperature)
    plain += Math.exp(logit - max)
  }
  let rest = u * total
  let token = 0
  for (let i = 0; i < logits.length; i++) {
    rest -= Math.exp((logits[i]! - max) / temperature)
    token = i
    if (rest < 0) break
  }
  return { token, logProb: logits[token]! - max - Math.log(plain) }
}
