/** @file Between two large matrices of a scan, what the one before left, where it was decomposed, is freed: V8 lets it lie, and a plan counts one a thread. */
import { freeGarbage } from '../native/garbage.ts'

/** 64 MiB in float32: freeing takes some tens of milliseconds, decomposing such a matrix tens of seconds. */
const LARGE = 2 ** 24

export function freeMatrices([m, n]: readonly [number, number]): void {
  if (m * n >= LARGE) freeGarbage()
}
