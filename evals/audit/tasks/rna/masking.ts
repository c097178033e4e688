/**
 * @file Masked language modelling over overlapping k-mers: 15 % of the positions are chosen, and the k tokens around each are
 * exchanged, because a neighbour that overlaps a k-mer tells most of its letters. Of the chosen, 80 % of the runs become
 * [MASK], 10 % random k-mers, 10 % stay; the loss is of the chosen positions alone (Devlin et al. 2019, §3.1; Ji et al. 2021).
 */
import type { Masked } from '../../../finetune/training/dataset.ts'
import { KMER_SPECIALS } from '../../../models/text/kmer-tokenizer.ts'
import type { RandomStream } from '../../../statistics/random.ts'

const CHOSEN = 0.15
const SHARES = { masked: 0.8, random: 0.1 }

/** @param ids with [CLS] and [SEP], which are never chosen */
export function masked(
  ids: readonly number[],
  k: number,
  vocabulary: number,
  stream: RandomStream,
): Masked {
  const specials = Object.keys(KMER_SPECIALS).length
  const inner = Array.from({ length: ids.length - 2 }, (_, i) => i + 1)
  const count = Math.max(1, Math.round(CHOSEN * inner.length))
  const chosen = stream
    .shuffle(inner)
    .slice(0, count)
    .sort((a, b) => a - b)
  const changed = [...ids]
  const half = Math.floor(k / 2)
  for (const centre of chosen) {
    const drawn = stream.uniform()
    const isMasked = drawn < SHARES.masked
    if (!isMasked && drawn >= SHARES.masked + SHARES.random) continue
    const from = Math.max(1, centre - half)
    const to = Math.min(ids.length - 1, centre - half + k)
    for (let at = from; at < to; at++)
      changed[at] = isMasked ? KMER_SPECIALS.mask : specials + stream.integer(vocabulary - specials)
  }
  return { ids: changed, hidden: chosen.map((at) => ({ at, label: ids[at]! })) }
}
