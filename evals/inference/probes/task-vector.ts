/** @file A task as a vector (ICM-LoRA, Shao et al. 2025): the mean over prompts of the base's last hidden state at their last token. */
import { forwardPass } from '../../models/scope.ts'
import type { Device } from '../../runtime/device.ts'
import type { ModelState } from '../cached-graph.ts'
import { int32 } from '../feeds.ts'
import { openProbe } from './probe.ts'

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
  const runner = await openProbe(state, device, longest, ({ g, scope, input }) => {
    const { hiddenStates } = forwardPass(scope, state.model, input)
    return { states: g.gatherRows(hiddenStates, g.input('rows', 'int32', ['taken'])) }
  })
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
