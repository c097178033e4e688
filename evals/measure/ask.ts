/** @file A state of a network as a function of texts, for what asks it many times. */
import type { EncoderGraph } from '../inference/encoder-session.ts'
import type { NetworkState, Subject } from '../inference/subject.ts'

/** Asks a state of the network: its outputs, or one vector of length 1 for each text (the mean of its hidden states). */
export type Ask = (graph: EncoderGraph, texts: readonly string[]) => Promise<Float32Array[]>

/** The same function for the same state, so that what was made of it can be kept by it. */
const known = new WeakMap<Pick<Subject, 'outputs'>, Ask>()

export function askOf(subject: Pick<Subject, 'outputs'>, signal: AbortSignal): Ask {
  const kept = known.get(subject)
  if (kept) return kept
  const ask: Ask = (graph, texts) => {
    if (!subject.outputs) throw new Error('internal: numbers asked of a model that writes')
    return subject.outputs(graph, texts, signal)
  }
  known.set(subject, ask)
  return ask
}

/** The state with its adapters merged. */
export async function networkOf(subject: Pick<Subject, 'network'>): Promise<NetworkState> {
  if (!subject.network) throw new Error('internal: a network asked of a model that writes')
  return subject.network()
}
