/** @file A task as a vector (ICM-LoRA, Shao et al. 2025): the mean over prompts of the base's last hidden state at their last token. */
import { createGraph } from '../graph/ops/index.ts'
import { createScope, forwardPass } from '../models/scope.ts'
import { fedStorage, keptData } from '../models/weights/small-weights.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import { createRunner } from '../runtime/session.ts'
import type { ModelState } from './cached-graph.ts'
import { int32 } from './feeds.ts'

interface TaskVectors {
  /** `[hidden]`, of the token ids of each prompt; the last `longest` tokens of a prompt count. */
  of(prompts: readonly (readonly number[])[]): Promise<Float32Array>
  release(): Promise<void>
}

export async function openTaskVectors(
  state: ModelState,
  device: Device,
  longest: number,
): Promise<TaskVectors> {
  const { g, states } = build(state, device, longest)
  const frozen = new Map(
    g.inputs.flatMap(({ name }) => {
      const data = keptData(state.frozen, name)
      return data ? [[name, data] as const] : []
    }),
  )
  const runner = await createRunner(g, { states }, { device, purpose: 'generate', frozen })
  return {
    async of(prompts) {
      let mean: Float32Array | undefined
      for (const ids of prompts) {
        const cut = ids.slice(-longest)
        const dims = [1, cut.length]
        const found = await runner.run({
          tokens: int32(cut, dims),
          positions: int32([...cut.keys()], dims),
          rows: int32([cut.length - 1], [1]),
        })
        const last = found.states!.data as Float32Array
        mean ??= new Float32Array(last.length)
        for (let i = 0; i < mean.length; i++) mean[i]! += last[i]! / prompts.length
      }
      return mean!
    },
    release: () => runner.release(),
  }
}

/** Hidden states of the rows that are asked for, `[rows, hidden]`. */
function build({ model, frozen }: ModelState, device: Device, maxPositions: number) {
  const g = createGraph(dialectOf(device))
  const scope = createScope(g, model.weights, { maxPositions, storage: fedStorage(frozen) })
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const attention = { kind: 'causal' } as const
  const input = { tokens, positions, attention, batch: 'batch', seq: 'seq' }
  const { hiddenStates } = forwardPass(scope, model, input)
  return { g, states: g.gatherRows(hiddenStates, g.input('rows', 'int32', ['taken'])) }
}
