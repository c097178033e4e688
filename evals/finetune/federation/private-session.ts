/** @file DP-SGD (Abadi et al. 2016): a training session whose gradient is the noisy mean of the clipped gradients of single rows. */
import { globalNorm } from '../../graph/optimizer.ts'
import type { RandomStream } from '../../statistics/random.ts'
import type { Batch } from '../method.ts'
import { isTrained } from '../training/parameters.ts'
import type { TrainingSession } from '../training/session.ts'
import { addNoise, type Privacy } from './privacy.ts'

/** g = (Σ_j g_j·min(1, C/‖g_j‖) + N(0, σ²C²I))/rows, over the trained numbers; the loss is the mean over rows. */
export function privateSession(
  session: TrainingSession,
  { clip, noise }: Pick<Privacy, 'clip' | 'noise'>,
  stream: Pick<RandomStream, 'normal'>,
): TrainingSession {
  const flat = new Float32Array(session.table.size)
  return {
    ...onHost(session),
    async gradients(batch) {
      const sum = new Float64Array(flat.length)
      let loss = 0
      for (const row of rowsOf(batch)) {
        const own = await session.gradients(row)
        const factor = clipTo(clip, await globalNorm(own.flat))
        for (let t = 0; t < sum.length; t++) sum[t]! += factor * own.flat[t]!
        loss += own.loss / batch.batch
      }
      for (const { start, end } of session.table.slices.filter(isTrained))
        addNoise(sum.subarray(start, end), noise * clip, stream)
      for (let t = 0; t < sum.length; t++) flat[t] = sum[t]! / batch.batch
      return { loss, flat }
    },
  }
}

/** Without gradients in a device's memory: each is clipped here. */
function onHost(session: TrainingSession): TrainingSession {
  const own = { ...session }
  delete own.resident
  return own
}

/** min(1, C/‖g‖). */
const clipTo = (clip: number, norm: number): number => (norm > clip ? clip / norm : 1)

/** Each row as a batch of its own, whose loss is the mean over its own labels: what one row gives must not depend on the others. */
function* rowsOf({ tokens, positions, segments, batch, seq, rows, labels }: Batch) {
  for (let lane = 0; lane < batch; lane++) {
    const start = lane * seq
    const cut = (all: Int32Array) => all.slice(start, start + seq)
    const own = [...rows.keys()].filter((i) => Math.floor(rows[i]! / seq) === lane)
    yield {
      tokens: cut(tokens),
      positions: cut(positions),
      segments: cut(segments),
      batch: 1,
      seq,
      rows: Int32Array.from(own, (i) => rows[i]! - start),
      labels: Int32Array.from(own, (i) => labels[i]!),
      weights: new Float32Array(own.length).fill(1 / own.length),
    } satisfies Batch
  }
}
