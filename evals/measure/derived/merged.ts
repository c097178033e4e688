/** @file A point of the line between two adapters: A with weight 1 − w and B with weight w, merged one way. */
import { basename } from 'node:path'
import { sha256 } from '../../files/digest.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import {
  mergeAdapters,
  requireMergeable,
  type MergeRequest,
  type Source,
} from '../../finetune/merging/merge.ts'
import { findMerging } from '../../finetune/merging/registry.ts'
import { peftDigest, readPeftFolder } from '../../models/formats/peft-folder.ts'
import type { Model } from '../../models/registry.ts'
import { adaptedWeights, requireFitting } from '../../models/weights/tuned-weights.ts'
import type { Base } from '../base.ts'
import type { Derived } from './made.ts'
import { pointIn } from './specs.ts'

/** TIES and DARE keep this share of each change. */
const DENSITY = 0.5

interface Asked {
  readonly way: string
  readonly a: string
  readonly b: string
  readonly w: number
}

function asked(point: string): Asked {
  const { way = '', a = '', b = '', weight = '' } = pointIn(point) ?? {}
  const w = Number(weight)
  if (a === '' || weight.trim() === '' || !(w >= 0 && w <= 1)) {
    throw usageError(
      `merge:${point} is no point between two adapters.`,
      'Write WAY:A+B@w with two adapter folders and w from 0 to 1.',
    )
  }
  return { way, a, b, w }
}

const sourcesOf = ({ a, b, w }: Asked): Promise<Source[]> =>
  Promise.all(
    [a, b].map(async (path, i) => ({
      path,
      folder: await readPeftFolder(path),
      weight: i === 0 ? 1 - w : w,
    })),
  )

const requestOf = (way: string): MergeRequest => {
  const settings = { rank: null, density: DENSITY, outputReweighting: false, seed: 0 }
  return { ...settings, way: findMerging(way), peftCompat: false, sameBase: true }
}

/** Each adapter held to the base, and both to one another. */
export async function checkPoint(model: Model, point: string): Promise<void> {
  const own = asked(point)
  const request = requestOf(own.way)
  const sources = await sourcesOf(own)
  for (const { path, folder } of sources) requireFitting(model, folder, path)
  requireMergeable(sources, request)
}

export async function mergedPoint(base: Base, point: string): Promise<Derived> {
  const { way, a, b, w } = asked(point)
  const digests = await Promise.all([peftDigest(a), peftDigest(b)])
  const { folder } = mergeAdapters(await sourcesOf({ way, a, b, w }), requestOf(way))
  const sizes = [...folder.tensors.values()].map(({ data }) => data.length)
  return {
    weights: adaptedWeights(base.weights, folder, `merge:${point}`),
    digest: sha256([way, ...digests, w].join(' ')),
    title: `Merged by ${way}: ${1 - w} × ${basename(a)} + ${w} × ${basename(b)}`,
    merge: { line: `${way}:${a}+${b}`, way, adapters: [basename(a), basename(b)], weight: w },
    trainableParameters: sizes.reduce((sum, size) => sum + size, 0),
  }
}
