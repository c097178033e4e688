/** @file One text a lane, as a batch that is not packed has them. */

export const lanes = (batch: number, seq: number) => ({
  positions: Int32Array.from({ length: batch * seq }, (_, i) => i % seq),
  segments: new Int32Array(batch * seq),
  batch,
  seq,
})
