/** @file Opens a model state for inference, through our cached graphs or the checkpoint's own graph. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { withWeights } from '../graph/import/patch.ts'
import { createGraph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { OwnGraph } from '../models/formats/onnx/own-graph.ts'
import type { Model } from '../models/registry.ts'
import { createScope } from '../models/scope.ts'
import { asStored } from '../models/weight-list.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import type { InMemory } from '../runtime/graph-file.ts'
import { createRunner } from '../runtime/session.ts'
import { openCached, type CachedSession, type ModelState } from './cached-graph.ts'
import { openFileSession } from './file-session.ts'

type Weights = ReadonlyMap<string, Float32Array>

/** The model as stored; a checkpoint's own graph runs from its unmodified file. */
export const openUnchanged = (
  { model, weights }: { readonly model: Model; readonly weights: Weights },
  device: Device,
  longest: number,
): Promise<CachedSession> =>
  model.graph
    ? openFileSession(model.graph, device, longest)
    : openCached({ model, frozen: weights }, device, longest)

/** Any state. A checkpoint's own graph gets the state's weights, with adapters merged, in place of the file's. */
export async function openState(
  state: ModelState,
  device: Device,
  longest: number,
): Promise<CachedSession> {
  const { graph } = state.model
  if (!graph) return openCached(state, device, longest)
  const weights = await mergedWeights(state, device)
  return openFileSession(graph, device, longest, await inMemory(graph, weights))
}

/** Outputs need names that no input has. */
const MERGED = 'merged:'

/** Every weight, those of adapted layers computed from their adapters in one run. */
export async function mergedWeights(state: ModelState, device: Device): Promise<Weights> {
  const { model, frozen, method } = state
  const g = createGraph(dialectOf(device))
  const scope = createScope(g, model.weights, { maxPositions: 1, attach: method?.attach })
  const outputs: Record<string, Value> = {}
  for (const { name, module } of model.weights.values()) {
    const adapter = module && scope.adapter(name.slice(0, -'.weight'.length))
    if (adapter) outputs[`${MERGED}${name}`] = adapter.weight()
  }
  if (Object.keys(outputs).length === 0) return frozen
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  try {
    const shapes = new Map(g.inputs.map(({ name, shape }) => [name, shape as readonly number[]]))
    const feeds = runner.inputs.map((name) => {
      return [name, { data: frozen.get(name)!, dims: shapes.get(name)! }] as const
    })
    const results = await runner.run(Object.fromEntries(feeds))
    const changed = Object.entries(results).map(
      ([name, { data }]) => [name.slice(MERGED.length), data] as const,
    )
    return new Map([...frozen, ...(changed as [string, Float32Array][])])
  } finally {
    await runner.release()
  }
}

async function inMemory(
  { path, file, weights: named, bytes }: OwnGraph,
  weights: Weights,
): Promise<InMemory> {
  const given = new Map<string, Float32Array>()
  for (const { initialiser, spec } of named) {
    if (initialiser.dtype !== 'float32') throw otherStorage(path, initialiser)
    given.set(initialiser.name, asStored(weights.get(spec.name)!, spec).data)
  }
  const lengths = new Map([...given].map(([name, { byteLength }]) => [name, byteLength]))
  return { bytes: withWeights(await bytes(), file, lengths), weights: given }
}

const otherStorage = (path: string, { name, dtype }: { name: string; dtype: string | undefined }) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what: `for the changed weight "${name}" the storage type`,
    found: dtype ?? 'unknown',
    supported: 'float32',
  })
