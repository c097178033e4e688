/**
 * @file Safe LoRA (Hsu et al. 2024, §3.2): where the change is least like its projection on what alignment changed, the projection
 * takes its place. V = W_aligned − W_unaligned `[out, in]`, C = V·Vᵀ/‖V‖_F, ΔW ← C·ΔW.
 */
import { z } from 'zod'
import { requireSameShapes } from '../../measure/candidate.ts'
import { modelPath } from '../../models/model-path.ts'
import { openModel } from '../../models/open-model.ts'
import { recognise } from '../../models/registry.ts'
import { spectralMatrices } from '../../measure/arm-spectra.ts'
import { fillNormal, randomStream } from '../../statistics/random.ts'
import { numberList } from './numbers.ts'
import { projectedChange, type Projected } from './projection.ts'
import type { FineTune, MadeWeights, Remedy } from './remedy.ts'

const settings = z.strictObject({
  unaligned: z.string().min(1),
  aligned: z.string().min(1).optional(),
  by: z.enum(['layers', 'threshold']).default('layers'),
  values: numberList({ least: 0, most: 10_000, order: 'rising' }, [1, 2, 4, 8, 16, 32]),
})

interface Matrix extends Projected {
  readonly weight: string
}

export const safeLora: Remedy<z.infer<typeof settings>> = {
  name: 'safe-lora',
  title: 'Safe LoRA’s projection',
  paper: 'arXiv:2405.16833',
  faithfulness: 'exact',
  parameter: 'matrices, or the cosine below which they are taken',
  control: 'the same matrices moved as far along the projection by a random V',
  settings,
  trains: 'never',
  most: ({ values }) => values.length,
  async check({ unaligned, aligned }, model) {
    for (const path of aligned === undefined ? [unaligned] : [unaligned, aligned]) {
      const open = await openModel(modelPath(path))
      try {
        requireSameShapes({ model }, recognise(open.checkpoint).weights, path)
      } finally {
        await open.close()
      }
    }
  },
  async open({ unaligned, aligned, by, values }, of) {
    const { loadModel } = await import('../../models/load.ts')
    const other = await loadModel(modelPath(unaligned))
    const tuned = aligned === undefined ? undefined : await loadModel(modelPath(aligned))
    const V = (name: string, W0: Float32Array) => {
      const [from, to] = [other.weights.get(name), tuned ? tuned.weights.get(name) : W0]
      return from && to ? to.map((w, i) => w - from[i]!) : undefined
    }
    const ranked = matricesOf(of, V).sort((a, b) => a.cosine - b.cosine)
    const taken = (value: number) =>
      by === 'layers' ? ranked.slice(0, value) : ranked.filter(({ cosine }) => cosine < value)
    await other.open.close()
    await tuned?.open.close()
    return {
      values: values.filter((value) => taken(value).length > 0),
      at: (value) => projected(of, taken(value)),
      control: (value) =>
        projected(
          of,
          taken(value).map((each) => atRandom(of, each)),
        ),
    }
  },
}

/** Of the matrices that changed, in those where alignment changed something. */
function matricesOf(
  { base, tuned }: FineTune,
  difference: (name: string, W0: Float32Array) => Float32Array | undefined,
): Matrix[] {
  return spectralMatrices(base).flatMap(({ weight, shape: [rows] }) => {
    const [W0, W1] = [base.weights.get(weight)!, tuned.weights.read(weight)]
    const V = W0 === W1 ? undefined : difference(weight, W0)
    const found =
      V &&
      projectedChange(
        V,
        W1.map((w, i) => w - W0[i]!),
        rows,
      )
    return found ? [{ weight, ...found }] : []
  })
}

/** As far from the fine-tune as the projection goes. */
function atRandom({ base, tuned }: FineTune, { weight, change }: Matrix): Matrix {
  const [W0, W1] = [base.weights.get(weight)!, tuned.weights.read(weight)]
  const own = W1.map((w, i) => w - W0[i]!)
  const V = fillNormal(new Float32Array(own.length), randomStream(tuned.key.seed, `V ${weight}`))
  const { shape } = base.model.weights.get(weight)!
  const found = projectedChange(V, own, shape[0]!)!
  const length = (of: Float32Array) => norm(of.map((x, i) => x - own[i]!))
  const factor = length(change) / length(found.change)
  const moved = found.change.map((x, i) => own[i]! + factor * (x - own[i]!))
  return { weight, cosine: found.cosine, change: moved }
}

const norm = (data: Float32Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0))

function projected({ base, tuned }: FineTune, matrices: readonly Matrix[]): MadeWeights {
  const changes = new Map(matrices.map(({ weight, change }) => [weight, change]))
  return {
    read(name) {
      const change = changes.get(name)
      const W0 = base.weights.get(name)!
      return change ? W0.map((w, i) => w + change[i]!) : tuned.weights.read(name)
    },
  }
}
