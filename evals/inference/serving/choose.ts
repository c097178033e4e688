/** @file Chooses a token from logits as one request asks: greedy or sampled, with log-probabilities where they are wanted. */
import { randomStream } from '../../statistics/random.ts'
import { drawToken } from '../sampling.ts'

export interface Choice {
  /** 0 is greedy. */
  readonly temperature: number
  /** Share of the probability that the likeliest tokens must have together; the others are not drawn. */
  readonly topP: number
  readonly seed: number
  /** Names the random stream. */
  readonly stream: string
  /** How many of the likeliest tokens are given with their log-probabilities; undefined for no log-probabilities. */
  readonly top?: number | undefined
}

interface TokenScore {
  readonly id: number
  /** Nats, at temperature 1. */
  readonly logProb: number
}

export interface Chosen {
  readonly id: number
  readonly score?: Scored
}

export interface Scored {
  /** Nats, at temperature 1. */
  readonly logProb: number
  /** The likeliest tokens, best first. */
  readonly top: readonly TokenScore[]
}

/** The token after `written` others; undefined where the logits hold no finite maximum. */
export function choose(logits: Float32Array, choice: Choice, written: number): Chosen | undefined {
  const best = argMax(logits)
  if (!Number.isFinite(logits[best])) return undefined
  const id = choice.temperature === 0 ? best : drawn(logits, choice, written)
  return choice.top === undefined ? { id } : { id, score: scoreOf(logits, id, choice.top) }
}

function drawn(logits: Float32Array, choice: Choice, written: number): number {
  const u = randomStream(choice.seed, `sample:${choice.stream}`, written).uniform()
  return drawToken(logits, choice.temperature, u, choice.topP).token
}

/** The first of the largest, as ONNX's ArgMax. A NaN is larger than any number. */
function argMax(logits: Float32Array): number {
  let best = 0
  let most = logits[0]!
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!
    if (value <= most) continue
    if (Number.isNaN(value)) return i
    best = i
    most = value
  }
  return best
}

export function scoreOf(logits: Float32Array, id: number, top: number): Scored {
  const max = logits[argMax(logits)]!
  let total = 0
  for (const logit of logits) total += Math.exp(logit - max)
  const log = max + Math.log(total)
  return {
    logProb: logits[id]! - log,
    top: largest(logits, top).map((each) => ({ id: each, logProb: logits[each]! - log })),
  }
}

/** Indices of the `count` largest, the first of equal ones first. */
function largest(values: Float32Array, count: number): number[] {
  const found: number[] = []
  for (let i = 0; i < values.length && count > 0; i++) {
    if (found.length === count && values[i]! <= values[found.at(-1)!]!) continue
    let at = found.length
    while (at > 0 && values[i]! > values[found[at - 1]!]!) at--
    found.splice(at, 0, i)
    if (found.length > count) found.pop()
  }
  return found
}
