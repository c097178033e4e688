/** @file The bench's generations on our engine: prompts of one length that nothing ends, and mixed ones that end where they will. */
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import type { Device } from '../../../evals/runtime/device.ts'
import type { Loaded, OpenWork } from './open-work.ts'
import { equalLengths, MIXED, mixedLengths, NEW_TOKENS, PROMPT_TOKENS, tokenRows } from './works.ts'

export const openEqual = (loaded: Loaded, device: Device): Promise<OpenWork> =>
  openGeneration(loaded, device, {
    rows: tokenRows(equalLengths(PROMPT_TOKENS), loaded.vocab),
    newTokens: NEW_TOKENS,
    batchSize: PROMPT_TOKENS.rows,
    endIds: new Set(),
  })

export const openMixed = (loaded: Loaded, device: Device): Promise<OpenWork> =>
  openGeneration({ ...loaded, weights: scaledBlocks(loaded) }, device, {
    rows: tokenRows(mixedLengths(), loaded.vocab),
    newTokens: MIXED.newTokens,
    batchSize: MIXED.batch,
    endIds: endIdsOf(loaded.vocab),
  })

const endIdsOf = (vocab: number): ReadonlySet<number> =>
  new Set(Array.from({ length: Math.ceil(vocab / MIXED.endEvery) }, (_, i) => i * MIXED.endEvery))

/** The linear layers of the blocks, times a power of two: exact on both sides. */
function scaledBlocks({ model, weights }: Loaded): Map<string, Float32Array> {
  const scaled = new Map(weights)
  for (const { name, layer, kind } of model.weights.values()) {
    if (kind !== 'linear' || layer === undefined) continue
    scaled.set(
      name,
      weights.get(name)!.map((value) => MIXED.blockScale * value),
    )
  }
  return scaled
}

interface Asked {
  readonly rows: readonly (readonly number[])[]
  readonly newTokens: number
  readonly batchSize: number
  readonly endIds: ReadonlySet<number>
}

async function openGeneration(
  { model, weights }: Pick<Loaded, 'model' | 'weights'>,
  device: Device,
  { rows, newTokens, batchSize, endIds }: Asked,
): Promise<OpenWork> {
  const started = performance.now()
  const longest = Math.max(...rows.map(({ length }) => length)) + newTokens
  const opened = await openCached({ model, frozen: weights }, device, longest)
  const nodes = await opened.nodes('next')
  const buildMs = performance.now() - started
  const prompts = rows.map((ids, i) => ({ key: String(i), ids }))
  const { session, runs } = counting(opened)
  const options = {
    ...{ session, varying: {}, endIds, padId: 0, batchSize },
    decoding: { maxNewTokens: newTokens, temperature: 0, seed: 1 },
    signal: new AbortController().signal,
  }
  return {
    nodes,
    buildMs,
    async repeat() {
      const [before, ran] = [performance.now(), runs()]
      const answers: GeneratedTokens[] = []
      for await (const some of generate(prompts, options)) answers.push(...some)
      const ms = performance.now() - before
      answers.sort((a, b) => a.index - b.index)
      return { ms, runs: runs() - ran, tokens: answers.map(({ writtenIds }) => writtenIds) }
    },
    release: () => session.release(),
  }
}

function counting(opened: CachedSession) {
  let count = 0
  const session: CachedSession = {
    ...opened,
    run(...asked) {
      count++
      return opened.run(...asked)
    },
  }
  return { session, runs: () => count }
}
