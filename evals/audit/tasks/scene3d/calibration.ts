/** @file Pseudo-labels of a scene: its views as the network sees them, aligned, and each pixel's world point seen back. */
import type { Ask } from '../../../measure/ask.ts'
import type { TaskRow } from '../task.ts'
import { align, movedBack, type Vector, type View } from './alignment.ts'
import { numbersText, PLACES, textOf, type Scene } from './scenes.ts'

/** Distances at which a confidence falls to a quarter, as a share of the scene's distance. */
const SOFTNESS = 0.1
/** Confidence from which a view's pixel counts (Lu et al. 2024). */
const KEPT = 1.5

export async function viewsOf(ask: Ask, { views }: Scene): Promise<View[]> {
  const outputs = await ask('classes', views.flat().map(textOf))
  let next = 0
  return views.map((pixels) => {
    const own = outputs.slice(next, (next += pixels.length))
    return {
      points: own.map((row): Vector => [row[0]!, row[1]!, row[2]!]),
      confidences: own.map((row) => Math.exp(row[3]!)),
    }
  })
}

/** A row for each pixel whose point another view is confident of. */
export async function pseudoLabels(
  ask: Ask,
  scene: Scene,
  recalibrates: boolean,
): Promise<TaskRow[]> {
  const views = await viewsOf(ask, scene)
  const μ = SOFTNESS * PLACES.hall.distance
  const { similarities, world, weights } = align(views, { μ, recalibrates })
  return scene.views.flatMap((pixels, i) =>
    pixels.flatMap((pixel, p) => {
      const others = weights.filter((_, j) => j !== i).map((own) => own[p]!)
      if (Math.max(...others) <= KEPT) return []
      const label = movedBack(similarities[i]!, world[p]!)
      return [rowOf(textOf(pixel), [...label, 1, 0], scene.name)]
    }),
  )
}

/** @param target the point, the weight of a pseudo-label or 0, the logarithm of a taught confidence */
export const rowOf = (text: string, target: readonly number[], scene: string): TaskRow => ({
  text,
  label: numbersText(target),
  category: scene.replace(/ .*$/u, ''),
  cluster: scene,
})
