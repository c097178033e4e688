/** @file Federated averaging of updates that are shortened to a norm first (Sun et al. 2019, §4). */
import { z } from 'zod'
import { lora } from '../../methods/lora.ts'
import type { Strategy } from '../strategy.ts'
import { clippedUpdates, medianOf, updateNorm, weightedMean } from '../tensors.ts'

const config = z.object({
  mostNorm: z.number().gt(0).nullable().default(null).meta({
    label: 'Largest norm',
    help: 'Of the update of a client; the median of the round’s updates if not given',
  }),
})

export const normClipping: Strategy<z.infer<typeof config>> = {
  name: 'norm-clipping',
  title: 'Norm clipping',
  paper: 'arXiv:1911.07963',
  faithfulness: 'variant',
  notes: ['The paper gives a fixed norm; by default it is the median of the round’s own updates.'],
  method: lora,
  isMean: false,
  mixesRanks: false,
  config,
  aggregate(round, { mostNorm }) {
    const norms = round.updates.map((update) => updateNorm(round.before, update))
    const most = mostNorm ?? medianOf(Float64Array.from(norms).sort())
    return { tensors: weightedMean({ ...round, updates: clippedUpdates(round, most) }) }
  },
}
