/** @file What a tiny model of test/golden writes, and what transformers wrote of the same prompts. */
import type { CachedSession } from '../../../evals/inference/cached-graph.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { GoldenModel } from './golden-llama.ts'
import { integers } from './safetensors.ts'

function rowsOf({ expected }: GoldenModel, name: string): number[][] {
  const data = integers(expected, `greedy.${name}`)
  const [rows, width] = expected.get(`greedy.${name}`)!.shape as [number, number]
  return Array.from({ length: rows }, (_, b) => data.slice(b * width, (b + 1) * width))
}

interface Asked {
  readonly session: CachedSession
  readonly prompts: readonly (readonly number[])[]
  readonly maxNewTokens: number
  readonly batchSize: number
  readonly temperature?: number
}

/** Replies in the order of the prompts. */
export async function written({
  session,
  prompts,
  maxNewTokens,
  batchSize,
  temperature = 0,
}: Asked) {
  const found: GeneratedTokens[] = []
  const asked = prompts.map((ids, i) => ({ key: `prompt ${i}`, stream: ids.join(), ids }))
  const options = {
    ...{ session, batchSize, padId: 0, varying: {}, endIds: new Set<number>() },
    ...{ decoding: { maxNewTokens, temperature, seed: 3 }, signal: new AbortController().signal },
  }
  for await (const batch of generate(asked, options))
    for (const each of batch) found[each.index] = each
  return found
}

/** transformers' prompts and greedy tokens. */
export function greedyOf(golden: GoldenModel) {
  const lengths = integers(golden.expected, 'greedy.prompt_lengths')
  const prompts = rowsOf(golden, 'prompts').map((row, b) => row.slice(0, lengths[b]))
  return { lengths, prompts, expected: rowsOf(golden, 'tokens') }
}
