/**
 * @file Steering, on Pebble alone: the base's direction of refusal added to the residual stream after one block, at every token
 * (Arditi et al. 2024, §2.4, activation addition), beside a direction at random that is as long. Whether refusal comes back tells
 * whether what reads the direction is still there. It is only ever added, which can only make a model refuse more.
 */
import type { JobContext } from '../../contract/job.ts'
import { steeredArm, type Steered } from '../../contract/subjects/causes.ts'
import type { BoundMethod } from '../../finetune/method.ts'
import type { SubjectKey } from '../../contract/rows.ts'
import { identityOf, stateWith, type Base } from '../../measure/base.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../../measure/evaluate.ts'
import { openStateSubject } from '../../measure/open-subject.ts'
import { frobeniusNorm } from '../../spectra/measures.ts'
import { randomStream } from '../../statistics/random.ts'
import { writingMatrices } from './ablation-test.ts'

interface Steering {
  readonly layer: number
  /** r `[hidden]` of the base. */
  readonly direction: Float64Array
}

/** A state as it stands, and its weights. */
interface Steerable {
  readonly key: SubjectKey
  readonly read: (name: string) => Float32Array
}

/** Asks it what should be refused and its look-alikes, once along the direction and once along the control. */
export async function steer(
  base: Base,
  { key, read }: Steerable,
  { layer, direction }: Steering,
  evaluation: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const benchmarks = evaluation.benchmarks.filter(
    ({ benchmark: { role }, context: put }) => role !== 'capability' && !put,
  )
  const plan: EvaluationPlan = { ...evaluation, benchmarks, neutral: [], texts: [], heldOut: [] }
  const along = { refusal: direction, random: randomLike(direction) }
  for (const which of ['refusal', 'random'] as const) {
    const derivation: Steered = { kind: 'steered', of: key.arm, along: which, layer }
    const own = { ...key, arm: steeredArm(derivation) }
    const { arm, seed } = own
    const identity = identityOf(base, base.open, { arm, seed, title: arm, derivation })
    context.emit({ type: 'subject', row: identity })
    if (!isLeft(plan, own)) continue
    const attach = adding(base, layer, Float32Array.from(along[which]))
    const state = { ...stateWith(base, read), method: { attach } }
    const { subject, release } = await openStateSubject(base, identity, state)
    try {
      await evaluate(subject, own, plan, context)
    } finally {
      await release()
    }
  }
}

function randomLike(direction: Float64Array): Float64Array {
  const stream = randomStream(0, 'steered at random')
  const drawn = direction.map(() => stream.normal())
  const factor = frobeniusNorm(direction) / frobeniusNorm(drawn)
  return drawn.map((x) => x * factor)
}

/** What the block adds to the stream last is its MLP's output; the vector is added to that. */
function adding(
  base: Base,
  layer: number,
  vector: Float32Array,
): NonNullable<BoundMethod['attach']> {
  const last = writingMatrices(base).findLast((matrix) => matrix.layer === layer)!
  return (g, site) => {
    if (`${site.name}.weight` !== last.weight) return undefined
    return {
      forward: (x) =>
        g.add(g.matMulT(x, site.weight), g.constant(vector, 'float32', [vector.length])),
      weight() {
        throw new Error('internal: what is added to activations is no weight')
      },
    }
  }
}
