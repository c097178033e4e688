/** @file The residual stream at the last tokens of prompts: what each block passes on. */
import { forwardPass } from '../../models/scope.ts'
import type { Device } from '../../runtime/device.ts'
import type { Model } from '../../models/registry.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import type { ModelState } from '../cached-graph.ts'
import { countingPositions, int32 } from '../feeds.ts'
import { openProbe } from './probe.ts'

interface Reading {
  /** Longest prompt, tokens. */
  readonly longest: number
  /** Last tokens of each prompt that are read; every prompt has at least as many. */
  readonly positions: number
  readonly batchSize: number
  readonly padId: number
}

interface ResidualStream {
  readonly layers: number
  /** For each prompt `[layers, positions, hidden]`, the last position last. */
  of(prompts: readonly (readonly number[])[], signal: AbortSignal): Promise<Float32Array[]>
  release(): Promise<void>
}

const outputName = (layer: number) => `block.${layer}`

/** Blocks that can be read: none of a checkpoint's own graph. */
export const isReadable = ({ architecture, graph }: Pick<Model, 'architecture' | 'graph'>) =>
  architecture.kind === 'decoder' && !graph

/** Only where `isReadable`. */
export async function openResidualStream(
  state: ModelState,
  device: Device,
  reading: Reading,
): Promise<ResidualStream> {
  const { longest, batchSize } = reading
  let layers = 0
  const runner = await openProbe(state, device, longest, ({ g, scope, input }) => {
    forwardPass(scope, state.model, input)
    const rows = g.input('rows', 'int32', ['taken'])
    const blocks = [...scope.taps.values()]
    layers = blocks.length
    return Object.fromEntries(
      blocks.map((block, layer) => [outputName(layer), g.gatherRows(block, rows)]),
    )
  })
  return {
    layers,
    async of(prompts, signal) {
      const all: Float32Array[] = []
      for (let start = 0; start < prompts.length; start += batchSize) {
        signal.throwIfAborted()
        const batch = prompts.slice(start, start + batchSize)
        const found = await runner.run(feedsOf(batch, reading))
        all.push(...batch.map((_, b) => layersOf(found, layers, b, batch.length)))
      }
      return all
    },
    release: () => runner.release(),
  }
}

/** Padding stands after a prompt, where attention from the prompt does not see it. */
function feedsOf(prompts: readonly (readonly number[])[], { positions, padId }: Reading): Feeds {
  const width = Math.max(...prompts.map(({ length }) => length))
  const tokens = new Int32Array(prompts.length * width).fill(padId)
  prompts.forEach((ids, b) => tokens.set(ids, b * width))
  const rows = prompts.flatMap(({ length }, b) =>
    Array.from({ length: positions }, (_, p) => b * width + length - positions + p),
  )
  return {
    tokens: int32(tokens, [prompts.length, width]),
    positions: countingPositions(prompts.length, width),
    rows: int32(rows),
  }
}

/** Of prompt b, one layer after the other. */
function layersOf(
  found: Readonly<Record<string, Tensor>>,
  layers: number,
  b: number,
  batch: number,
): Float32Array {
  const outputs = Array.from(
    { length: layers },
    (_, layer) => found[outputName(layer)]!.data as Float32Array,
  )
  const size = outputs[0]!.length / batch
  const out = new Float32Array(layers * size)
  outputs.forEach((data, layer) => out.set(data.subarray(b * size, (b + 1) * size), layer * size))
  return out
}
