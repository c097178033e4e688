/** @file Alignment of point maps in closed form, scenes, self-calibration, files. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  align,
  centroid,
  distance,
  moved,
  movedBack,
  procrustes,
  robustCentre,
  robustWeight,
  type Similarity,
  type Vector,
} from '../../../../evals/audit/tasks/scene3d/alignment.ts'
import { pseudoLabels } from '../../../../evals/audit/tasks/scene3d/calibration.ts'
import {
  madeScene,
  planted,
  scenesIn,
  textOf,
} from '../../../../evals/audit/tasks/scene3d/scenes.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

describe('the robust weight', () => {
  test('is C/(1 + e/μ)², C itself without error, and falls with the error', () => {
    expect(robustWeight(2, 3, 1.5)).toBeCloseTo(0.222222, 6)
    expect(robustWeight(2, 0, 1.5)).toBe(2)
    const weights = [0, 0.1, 1, 10].map((error) => robustWeight(2, error, 1.5))
    expect(weights).toEqual(weights.toSorted((a, b) => b - a))
  })

  test('is where the objective w·e + μ(√w − √C)² has no slope', () => {
    const [C, e, μ] = [2, 3, 1.5]
    const objective = (w: number) => w * e + μ * (Math.sqrt(w) - Math.sqrt(C)) ** 2
    const [w, h] = [robustWeight(C, e, μ), 1e-6]
    expect((objective(w + h) - objective(w - h)) / (2 * h)).toBeCloseTo(0, 5)
  })
})

test('the robust centre of a line with one far point is among the others', () => {
  const points = [0, 0.1, -0.1, 10].map((x): Vector => [x, 0, 0])
  const mean = centroid(points, [1, 1, 1, 1])
  expect(mean[0]).toBeCloseTo(2.5, 12)
  const weightsAt = (centre: Vector) => points.map((x) => robustWeight(1, distance(x, centre), 0.5))
  let centre = mean
  for (let i = 0; i < 300; i++) centre = robustCentre(points, weightsAt(centre), centre, 1)
  expect(Math.abs(centre[0])).toBeLessThan(1e-6)
  expect(weightsAt(centre)[3]).toBeCloseTo(0.002268, 6)
})

const cloud = (count: number, seed: number) => {
  const stream = randomStream(seed, 'cloud')
  return Array.from({ length: count }, (): Vector => [
    stream.normal(),
    stream.normal(),
    stream.normal(),
  ])
}
const [s, c] = [Math.sin(0.7), Math.cos(0.7)]
const MOTION: Similarity = {
  scale: 1.7,
  rotation: [
    [c, -s, 0],
    [s, c, 0],
    [0, 0, 1],
  ],
  shift: [1, -2, 3],
}

describe('the best similarity', () => {
  test('is a known one, and its way back', () => {
    const from = cloud(12, 1)
    const to = from.map((x) => moved(MOTION, x))
    const found = procrustes(
      from,
      to,
      from.map((_, i) => 1 + (i % 3)),
    )
    from.forEach((x, i) => {
      expect(distance(moved(found, x), to[i]!)).toBeLessThan(1e-9)
      expect(distance(movedBack(found, to[i]!), x)).toBeLessThan(1e-9)
    })
  })

  test('is never a reflection', () => {
    const from = cloud(12, 2)
    const mirrored = from.map(([x, y, z]): Vector => [x, y, -z])
    const [a, b, d] = procrustes(
      from,
      mirrored,
      from.map(() => 1),
    ).rotation
    const determinant =
      a[0] * (b[1] * d[2] - b[2] * d[1]) -
      a[1] * (b[0] * d[2] - b[2] * d[0]) +
      a[2] * (b[0] * d[1] - b[1] * d[0])
    expect(determinant).toBeCloseTo(1, 9)
  })
})

describe('alignment', () => {
  const world = cloud(30, 3)
  const views = [0, 1, 2, 3, 4].map((v) => ({
    points: world.map((x, p): Vector => {
      const seen = movedBack({ ...MOTION, scale: v === 0 ? 1 : MOTION.scale, shift: [v, 0, 1] }, x)
      // A pixel in five is far off, and surest.
      return (p + v) % 5 === 0 ? [seen[0] * 3, seen[1] * 3, seen[2] * 3 + 2] : seen
    }),
    confidences: world.map((_, p) => ((p + v) % 5 === 0 ? 6 : 2)),
  }))
  const errorOf = (recalibrates: boolean) => {
    const found = align(views, { μ: 0.2, recalibrates })
    const onto = procrustes(
      found.world,
      world,
      world.map(() => 1),
    )
    return found.world.reduce((sum, x, i) => sum + distance(moved(onto, x), world[i]!), 0) / 30
  }

  test('finds the world among over-confident outliers, and lowers their weights', () => {
    expect(errorOf(true)).toBeLessThan(0.01)
    const { weights } = align(views, { μ: 0.2, recalibrates: true })
    weights.forEach((own, v) =>
      own.forEach((weight, p) => {
        if ((p + v) % 5 === 0) expect(weight).toBeLessThan(1)
        else expect(weight).toBeGreaterThan(1.5)
      }),
    )
  })

  test('does worse where confidences stay as they are given', () => {
    expect(errorOf(false)).toBeGreaterThan(2 * errorOf(true))
  })
})

describe('a scene', () => {
  const scene = madeScene('hall', 'one', 0, 0)

  test('shows the same points in each view, by rays and inverse depths', () => {
    expect(scene.views).toHaveLength(6)
    const pixels = scene.views.flat()
    for (const { ray, cue, truth } of pixels) {
      expect(truth[2]).toBeGreaterThan(0)
      expect(ray[0] * truth[2]).toBeCloseTo(truth[0], 9)
      expect(cue * truth[2]).toBeCloseTo(1, 9)
    }
    const glossy = pixels.filter(({ isGlossy }) => isGlossy).length
    expect(glossy / pixels.length).toBeGreaterThan(0.14)
    expect(glossy / pixels.length).toBeLessThan(0.26)
    const between = (view: number) =>
      distance(scene.views[view]![0]!.truth, scene.views[view]![1]!.truth)
    expect(between(3)).toBeCloseTo(between(0), 9)
  })

  test('gives labels nearer to the truth than what the network says', async () => {
    const pixels = new Map(scene.views.flat().map((pixel) => [textOf(pixel), pixel]))
    const ask = async (_: string, texts: readonly string[]) =>
      texts.map((text) => {
        const pixel = pixels.get(text)!
        return Float32Array.of(...planted(pixel), Math.log(pixel.isGlossy ? 6 : 2))
      })
    const rows = await pseudoLabels(ask, scene, true)
    expect(rows.length).toBeGreaterThan(300)
    const errors = rows.map(({ text, label }) => {
      const pixel = pixels.get(text)!
      const [x, y, z] = label.split(' ').map(Number) as [number, number, number]
      return [distance([x, y, z], pixel.truth), distance(planted(pixel), pixel.truth)] as const
    })
    const mean = (which: 0 | 1) => errors.reduce((sum, own) => sum + own[which], 0) / errors.length
    expect(mean(0)).toBeLessThan(0.7 * mean(1))
  })
})

describe('a file of scenes', () => {
  const folder = freshFolder()
  const HEAD = 'scene,view,point,u,v,cue,gloss,x,y,z'
  const written = (name: string, lines: readonly string[]) => {
    const path = join(folder, name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }
  const rows = ['a', 'b'].flatMap((scene) =>
    [0, 1].flatMap((view) =>
      [0, 1, 2, 3, 4].map((point) => `${scene},${view},${point},0.1,0.${point},0.5,0,1,${point},2`),
    ),
  )

  test('is read; pixels that are none, and points that not every view shows, are counted', async () => {
    const more = rows.map((row) => row.replace(/^b/u, 'c'))
    const odd = [...rows.with(0, rows[0]!.replace('0.5', 'NaN')), ...more.slice(10)]
    const { scenes, leftOut } = await scenesIn(written('a.csv', [HEAD, ...odd]))
    expect(scenes.map(({ name, views }) => [name, views[0]!.length])).toEqual([
      ['a', 4],
      ['b', 5],
      ['c', 5],
    ])
    // Both pixels of the point that one view lacks.
    expect(leftOut).toBe(2)
  })

  test.each([
    ['no column', ['scene,view,point', 'a,0,0'], 'task.columns'],
    ['one scene', [HEAD, ...rows.slice(0, 10)], 'task.rows'],
    ['no rows', [HEAD], 'task.rows'],
  ])('with %s is a named error', async (name, lines, code) => {
    await expect(scenesIn(written(`${name}.csv`, lines))).rejects.toMatchObject({ code })
  })
})
