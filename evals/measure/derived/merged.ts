/** @file A point of the line between two adapters: A with weight 1 − w and B with weight w, merged one way. */
import { basename } from 'node:path'
import { sha256 } from '../../files/digest.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { mergeAdapters } from '../../finetune/merging/merge.ts'
import { findMerging } from '../../finetune/merging/registry.ts'
import { peftDigest, readPeftFolder } from '../../models/formats/peft-folder.ts'
import { adaptedWeights } from '../../models/weights/tuned-weights.ts'
import type { Base } from '../base.ts'
import type { Derived } from './made.ts'
import { pointIn } from './specs.ts'

/** TIES and DARE keep this share of each change. */
const DENSITY = 0.5

export async function mergedPoint(base: Base, point: string): Promise<Derived> {
  const { way = '', a = '', b = '', weight = '' } = pointIn(point) ?? {}
  const w = Number(weight)
  if (a === '' || weight.trim() === '' || !(w >= 0 && w <= 1)) {
    throw usageError(
      `merge:${point} is no point between two adapters.`,
      'Write WAY:A+B@w with two adapter folders and w from 0 to 1.',
    )
  }
  const [first, second] = await Promise.all([readPeftFolder(a), readPeftFolder(b)])
  const digests = await Promise.all([peftDigest(a), peftDigest(b)])
  const sources = [
    { path: a, folder: first, weight: 1 - w },
    { path: b, folder: second, weight: w },
  ]
  const settings = { rank: null, density: DENSITY, outputReweighting: false, seed: 0 }
  const request = { ...settings, way: findMerging(way), peftCompat: false, sameBase: true }
  const { folder } = mergeAdapters(sources, request)
  const sizes = [...folder.tensors.values()].map(({ data }) => data.length)
  return {
    weights: adaptedWeights(base.weights, folder, `merge:${point}`),
    digest: sha256([way, ...digests, w].join(' ')),
    title: `Merged by ${way}: ${1 - w} × ${basename(a)} + ${w} × ${basename(b)}`,
    merge: { line: `${way}:${a}+${b}`, way, adapters: [basename(a), basename(b)], weight: w },
    trainableParameters: sizes.reduce((sum, size) => sum + size, 0),
  }
}
