/** @file The graph with one method per operator. */
import { createCore, type GraphCore } from '../builder.ts'
import { CPU, type Dialect } from '../op.ts'
import { activations } from './activation.ts'
import { attention } from './attention.ts'
import { elementwise } from './elementwise.ts'
import { linalg } from './linalg.ts'
import { losses } from './loss.ts'
import { movement } from './movement.ts'
import { normalization } from './normalization.ts'
import { reductions } from './reduction.ts'
import { serving } from './serving.ts'
import { smallCaches } from './small-cache.ts'

export type Graph = GraphCore &
  ReturnType<typeof elementwise> &
  ReturnType<typeof activations> &
  ReturnType<typeof linalg> &
  ReturnType<typeof movement> &
  ReturnType<typeof reductions> &
  ReturnType<typeof normalization> &
  ReturnType<typeof attention> &
  ReturnType<typeof serving> &
  ReturnType<typeof smallCaches> &
  ReturnType<typeof losses>

export function createGraph(dialect: Dialect = CPU): Graph {
  const core = createCore(dialect)
  return {
    ...core,
    ...elementwise(core),
    ...activations(core),
    ...linalg(core),
    ...movement(core),
    ...reductions(core),
    ...normalization(core),
    ...attention(core),
    ...serving(core),
    ...smallCaches(core),
    ...losses(core),
  }
}
