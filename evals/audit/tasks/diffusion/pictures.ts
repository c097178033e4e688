/** @file Samples as pictures: each with what was asked for and what it is read as. */
import type { PictureGrid } from '../../../contract/document/charts.ts'
import type { Wish } from './denoising.ts'
import type { World } from './worlds.ts'

const SHOWN = 20
const SHADES = 16

/** None of points in a plane. */
export function sampleGrid(
  world: World,
  wishes: readonly Wish[],
  samples: readonly Float64Array[],
  title: string,
): PictureGrid[] {
  const { network, side } = world.shape
  if (network === 'points') return []
  const pictures = samples.slice(0, SHOWN).map((x, i) => {
    const scores = world.read(x)
    const read = world.classes[scores.indexOf(Math.max(...scores))]!
    const asked = world.classes[wishes[i]!.label]!
    return { facts: [asked, read], ...shades(x, side) }
  })
  return [{ type: 'picture-grid', title, heads: ['Asked for', 'Read as'], pictures }]
}

/** Pixels of −1 to 1 as hexadecimal digits, ink 15. */
export const shades = (pixels: ArrayLike<number>, width: number) => ({
  width,
  shades: Array.from(pixels, (value) =>
    Math.max(0, Math.min(SHADES - 1, Math.round(((value + 1) / 2) * (SHADES - 1)))).toString(16),
  ).join(''),
})
