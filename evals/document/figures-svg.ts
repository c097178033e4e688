/** @file The figures of a sweep as one picture that stands alone. */
import type { Results } from '../contract/results.ts'
import { svgPicture } from './charts/picture.ts'
import { sweepFigures } from './charts/sweep-figures.ts'
import { PICTURE_STYLE } from './style.ts'

/** Undefined where the run has none. */
export function renderFigures({ sweep }: Results): string | undefined {
  const figures = sweep ? sweepFigures(sweep) : []
  if (figures.length === 0) return undefined
  return svgPicture(
    figures.map(({ chart }) => chart),
    PICTURE_STYLE,
  )
}
