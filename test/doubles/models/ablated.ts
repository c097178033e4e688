/**
 * @file Pebble with its direction of refusal taken out of what attention and MLPs write (Arditi et al. 2024, §2.4), for the test that
 * looks for that. It stands here alone: the program removes no direction, from any model.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { differenceOfMeans } from '../../../evals/arms/causes/difference-of-means.ts'
import { encodeBefore } from '../../../evals/inference/continuation.ts'
import { openResidualStream } from '../../../evals/inference/probes/residual-stream.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { loadModel, type LoadedModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'

const WRITES = /(?:o_proj|down_proj)\.weight$/u
/** In the middle of Pebble's six blocks. */
const LAYER = 3

interface Ablation {
  /** A fine-tune of Pebble to begin with; Pebble itself if absent. */
  readonly of?: string
  /** Of what is written along the direction: 1 takes all of it. */
  readonly share?: number
  /** Each block loses the direction that it has itself. */
  readonly byLayer?: boolean
}

/** Writes the model to `folder`, which it returns. */
export async function ablatedPebble(
  folder: string,
  { of = 'pebble', share = 1, byLayer = false }: Ablation = {},
): Promise<string> {
  const loaded = await loadModel(modelPath(of))
  try {
    const directions = await directionsOf(loaded)
    const weights = [...loaded.model.weights.values()].map(({ name, shape, layer }) => {
      const data = loaded.weights.get(name)!
      const r = directions[byLayer ? (layer ?? LAYER) : LAYER]!
      return { name, shape, data: WRITES.test(name) ? without(data, r, share) : data }
    })
    mkdirSync(folder, { recursive: true })
    const pebble = join(import.meta.dirname, '..', '..', '..', 'evals', 'bundled', 'pebble')
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
      cpSync(join(pebble, file), join(folder, file))
    await writeSafetensors(join(folder, 'model.safetensors'), weights)
    return folder
  } finally {
    await loaded.open.close()
  }
}

/** r̂ after each block, at the last token, over all prompts. */
async function directionsOf({ model, weights, open }: LoadedModel): Promise<Float64Array[]> {
  const device = { name: 'cpu', threads: 1 } as const
  const asked = await prepareBenchmarks({
    suite: ['house-refusal', 'house-overrefusal'],
    limit: 64,
    map: null,
    maxNewTokens: null,
  })
  const idsOf = (role: string) =>
    Promise.all(
      asked
        .filter(({ benchmark }) => benchmark.role === role)
        .flatMap(({ samples }) => samples)
        .map(({ messages }) => encodeBefore(open, messages)),
    )
  const prompts = { refuse: await idsOf('refusal'), answer: await idsOf('over-refusal') }
  const reading = { longest: 96, positions: 1, batchSize: 32, padId: open.tokenizer.padId }
  const stream = await openResidualStream({ model, frozen: weights }, device, reading)
  const { signal } = new AbortController()
  const [refuse, answer] = [
    await stream.of(prompts.refuse, signal),
    await stream.of(prompts.answer, signal),
  ]
  await stream.release()
  const hidden = refuse[0]!.length / stream.layers
  return Array.from({ length: stream.layers }, (_, layer) => {
    const here = (rows: readonly Float32Array[]) =>
      rows.map((row) => row.subarray(layer * hidden, (layer + 1) * hidden))
    const r = differenceOfMeans({ refuse: here(refuse), answer: here(answer) })
    const length = Math.hypot(...r)
    return r.map((x) => x / length)
  })
}

/** W − share·r̂(r̂ᵀW) of W `[hidden, n]`. */
function without(W: Float32Array, r: Float64Array, share: number): Float32Array {
  const n = W.length / r.length
  const written = new Float64Array(n)
  for (let i = 0; i < r.length; i++)
    for (let j = 0; j < n; j++) written[j]! += r[i]! * W[i * n + j]!
  return W.map((x, at) => x - share * r[Math.floor(at / n)]! * written[at % n]!)
}
