/** @file A graph that returns its inputs: it copies tensors between the host and a device. */
import { encode } from '../graph/encode.ts'
import { createGraph } from '../graph/ops/index.ts'
import type { Dtype } from '../graph/value.ts'

/** An input's name must differ from every output's. */
const INPUT = 'in:'

/** The same tensors by their names as inputs. */
export const prefixed = <T>(tensors: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${INPUT}${name}`, tensor]))

/** Returns inputs named by `prefixed` as outputs under the plain names. */
export function identityGraph(
  tensors: Readonly<Record<string, { readonly type: string; readonly dims: readonly number[] }>>,
): Uint8Array {
  const g = createGraph()
  const outputs = Object.entries(tensors).map(([name, { type, dims }]) => {
    return [name, g.input(`${INPUT}${name}`, type as Dtype, dims)] as const
  })
  return encode(g, Object.fromEntries(outputs)).bytes
}
