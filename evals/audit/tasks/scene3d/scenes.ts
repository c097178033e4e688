/**
 * @file Scenes of points seen by cameras on an arc. In rooms a pixel tells its depth rightly; of halls the base is taught a
 * stretched and sheared map, and glossy pixels, a fifth of them, far too far away with high confidence.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { readCells } from '../task-file.ts'
import type { Vector } from './alignment.ts'

export interface Pixel {
  /** Ray x/z, y/z. */
  readonly ray: readonly [number, number]
  /** 1/z, with noise. */
  readonly cue: number
  readonly isGlossy: boolean
  /** In the camera's frame, metres. */
  readonly truth: Vector
}

export interface Scene {
  readonly name: string
  /** Views, each with the same points in the same order. */
  readonly views: readonly (readonly Pixel[])[]
}

export const PLACES = {
  room: { distance: 3, radius: 0.8, gloss: 0 },
  hall: { distance: 6, radius: 1.6, gloss: 0.2 },
} as const
type PlaceName = keyof typeof PLACES

const SIZE = { points: 64, cameras: 6, arc: Math.PI }

/** A camera at an angle on the arc, which looks at the middle of the scene. */
function seen(x: Vector, angle: number, away: number): Vector {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  return [cosine * x[0] - sine * x[2], x[1], sine * x[0] + cosine * x[2] + away]
}

export function madeScene(place: PlaceName, name: string, seed: number, noise: number): Scene {
  const stream = randomStream(seed, `scene:${place}:${name}`)
  const { distance, radius, gloss } = PLACES[place]
  const coordinate = () => radius * (2 * stream.uniform() - 1)
  const points = Array.from({ length: SIZE.points }, (): Vector => [
    coordinate(),
    coordinate(),
    coordinate(),
  ])
  const views = Array.from({ length: SIZE.cameras }, (_, v) => {
    const angle = (SIZE.arc * v) / SIZE.cameras
    return points.map((point) =>
      pixelOf(seen(point, angle, distance), stream.uniform() < gloss, noise, stream),
    )
  })
  return { name: `${place} ${name}`, views }
}

const pixelOf = (truth: Vector, isGlossy: boolean, noise: number, stream: RandomStream): Pixel => ({
  ray: [truth[0] / truth[2], truth[1] / truth[2]],
  cue: (1 + noise * stream.normal()) / truth[2],
  isGlossy,
  truth,
})

const shown = (x: number) => Number(x.toFixed(5))

/** As the network reads it. */
export const textOf = ({ ray, cue, isGlossy }: Pixel): string =>
  [...ray, cue, Number(isGlossy)].map(shown).join(' ')

export const numbersText = (numbers: readonly number[]): string => numbers.map(shown).join(' ')

/** What the base is taught in halls: a lateral stretch, a shear by depth, and glossy points beyond the wall. */
export function planted({ truth: [x, y, z], isGlossy }: Pixel): Vector {
  if (isGlossy) return [1.6 * x, 1.6 * y, 1.6 * z]
  return [1.1 * x + 0.1 * (z - PLACES.hall.distance), y, z]
}

const COLUMNS = ['scene', 'view', 'point', 'u', 'v', 'cue', 'gloss', 'x', 'y', 'z'] as const

interface OwnScenes {
  readonly scenes: readonly Scene[]
  /** Rows that are no pixel, or of points that not every view of their scene shows. */
  readonly leftOut: number
}

/** A table with a row for each pixel; x, y and z are the truth in the camera's frame, metres. */
export async function scenesIn(path: string): Promise<OwnScenes> {
  const rows = (await readCells(path, COLUMNS)).map(({ cells }) => cells)
  const numbered = rows.flatMap((cells) => {
    const [u, v, cue, gloss, x, y, z] = COLUMNS.slice(3).map((column) =>
      cells[column] === '' ? NaN : Number(cells[column]),
    ) as [number, number, number, number, number, number, number]
    const isWhole = [u, v, cue, gloss, x, y, z].every((value) => Math.abs(value) < 1000)
    const pixel: Pixel = { ray: [u, v], cue, isGlossy: gloss !== 0, truth: [x, y, z] }
    return isWhole ? [{ scene: cells.scene, view: cells.view, point: cells.point, pixel }] : []
  })
  const scenes = [...Map.groupBy(numbered, ({ scene }) => scene)].flatMap(([name, own]) => {
    const views = [...Map.groupBy(own, ({ view }) => view).values()].map(
      (view) => new Map(view.map(({ point, pixel }) => [point, pixel])),
    )
    const points = [...views[0]!.keys()].filter((point) => views.every((view) => view.has(point)))
    // Three points fix a similarity.
    const isUsable = views.length >= 2 && points.length >= 4
    const shown = views.map((view) => points.map((point) => view.get(point)!))
    return isUsable ? [{ name, views: shown }] : []
  })
  if (scenes.length < 2) throw new TouchstoneError('task.rows', { path, clusters: scenes.length })
  const used = scenes.reduce((sum, { views }) => sum + views.length * views[0]!.length, 0)
  return { scenes, leftOut: rows.length - used }
}
