/**
 * @file LoRA3D (Lu et al. 2024): a point-map network calibrates itself on scenes without truth. Its views are aligned robustly,
 * confidences recalibrated by what the views agree on, and the world's points, seen back by each view, are what a fine-tune
 * learns. Rows of one scene are one unit.
 */
import type { LineChart } from '../../../contract/document/charts.ts'
import { POINT_MAP } from '../../../models/families/point-map.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { randomStream } from '../../../statistics/random.ts'
import type { Ask } from '../../../measure/ask.ts'
import { split } from '../task-file.ts'
import type { NewModel, PreparedTask, Task, TaskMeasure, TaskRow } from '../task.ts'
import { distance, moved, procrustes, type Vector } from './alignment.ts'
import { pseudoLabels, rowOf, viewsOf } from './calibration.ts'
import { RECALIBRATED } from './scene3d-facts.ts'
import { madeScene, PLACES, planted, scenesIn, textOf, type Pixel, type Scene } from './scenes.ts'

const HIDDEN = 128
const COUNTS = { taught: 24, calibrated: 4, asked: 10 }
/** Pixels of a scene that the rates ask for. */
const PIXELS = 36
const NOISE = { usual: 0.005, shift: 0.02 }
/** A point is right within so many metres. */
const WITHIN = 0.25
const CENTIMETRES = 100

/** Confidences that the base is taught. */
const CONFIDENCE = { usual: 2, glossy: 6 }

const made = (
  place: keyof typeof PLACES,
  part: string,
  count: number,
  seed: number,
  noise: number,
) => Array.from({ length: count }, (_, i) => madeScene(place, `${part} ${i + 1}`, seed, noise))

function taught(scene: Scene, isHall: boolean): TaskRow[] {
  return scene.views.flat().map((pixel) => {
    const point = isHall ? planted(pixel) : pixel.truth
    const confidence = pixel.isGlossy ? CONFIDENCE.glossy : CONFIDENCE.usual
    return rowOf(textOf(pixel), [...point, 0, Math.log(confidence)], scene.name)
  })
}

function asked(scenes: readonly Scene[], seed: number): TaskRow[] {
  const stream = randomStream(seed, 'scene3d:asked')
  return scenes.flatMap((scene) => {
    const pixels: readonly Pixel[] = stream.shuffle(scene.views.flat()).slice(0, PIXELS)
    return pixels.map((pixel) => rowOf(textOf(pixel), pixel.truth, scene.name))
  })
}

export const scene3d: Task = {
  async prepare({ base, seed, file, reads }): Promise<PreparedTask> {
    const of = (place: keyof typeof PLACES, part: string, count: number, noise = NOISE.usual) =>
      made(place, part, count, seed, noise)
    const own = file === null ? undefined : await ownScenes(file, seed)
    const calibrated = own?.learnt ?? of('hall', 'calibrated', COUNTS.calibrated)
    const held = own?.heldOut ?? of('hall', 'held out', COUNTS.asked)
    const rooms = of('room', 'asked', COUNTS.asked)
    const noisy = of('room', 'noisy', COUNTS.asked, NOISE.shift)
    return {
      model: newModel(),
      baseRows: [
        ...of('room', 'taught', COUNTS.taught).flatMap((scene) => taught(scene, false)),
        ...of('hall', 'taught', COUNTS.taught).flatMap((scene) => taught(scene, true)),
      ],
      armRows: [],
      ...(own && { remarks: own.remarks }),
      measured: [
        {
          part: 'gain',
          title: 'Points of scenes like those calibrated on',
          rows: asked(held, seed),
        },
        { part: 'retention', title: 'Points of rooms', rows: asked(rooms, seed) },
        { part: 'shift', title: 'Points of rooms by a noisier cue', rows: asked(noisy, seed) },
      ],
      aim: { within: WITHIN, unit: 'm' },
      data: { source: 'made here: points, cameras, a planted bias', licence: 'none needed' },
      async fromBase(ask) {
        const armRows: TaskRow[] = []
        for (const scene of calibrated)
          armRows.push(...(await pseudoLabels(ask, scene, base === RECALIBRATED)))
        return { armRows, measures: [errorMeasure(held.slice(0, reads.each))] }
      },
    }
  },
}

async function ownScenes(path: string, seed: number) {
  const { scenes, leftOut } = await scenesIn(path)
  const rows = scenes.map(({ name }, i) => rowOf(String(i), [0], name))
  const { learnt, heldOut } = split(path, rows, seed)
  const chosen = (part: readonly TaskRow[]) => part.map(({ text }) => scenes[Number(text)]!)
  const message = `${path}: ${leftOut} rows were left out: a number of theirs is none, or not every view of their scene shows the point.`
  return {
    learnt: chosen(learnt),
    heldOut: chosen(heldOut),
    remarks: leftOut > 0 ? [message] : [],
  }
}

/** Each view set onto its truth by a similarity, as reconstructions are compared whose scale is unknown. */
function onTruth(points: readonly Vector[], pixels: readonly Pixel[]): Vector[] {
  const truth = pixels.map((pixel) => pixel.truth)
  const similarity = procrustes(
    points,
    truth,
    points.map(() => 1),
  )
  return points.map((x) => moved(similarity, x))
}

const errorMeasure = (scenes: readonly Scene[]): TaskMeasure => ({
  name: 'scene3d-error',
  numbers: [
    {
      name: 'scene3d-error',
      title: 'Mean distance of points from the truth, views set onto it by a similarity',
      unit: 'cm',
      better: 'lower',
      of: (rows) =>
        rows.length === 0 ? null : rows.reduce((sum, [x]) => sum + x!, 0) / rows.length,
    },
  ],
  async rows(ask) {
    const rows: { unit: string; numbers: number[] }[] = []
    for (const scene of scenes) {
      const views = await viewsOf(ask, scene)
      const errors = views.flatMap(({ points }, v) =>
        onTruth(points, scene.views[v]!).map((x, p) => distance(x, scene.views[v]![p]!.truth)),
      )
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
      rows.push({ unit: scene.name, numbers: [CENTIMETRES * mean] })
    }
    return rows
  },
  pictures: async (ask) => [await cloud(ask, scenes[0]!)],
})

/** A view from above: x and z of its points, true and as the network says. */
async function cloud(ask: Ask, scene: Scene): Promise<LineChart> {
  const [view] = await viewsOf(ask, scene)
  const pixels = scene.views[0]!
  const dots = (points: readonly Vector[]) =>
    points.map(([x, , z]) => ({ x: Number(x.toFixed(3)), y: Number(z.toFixed(3)) }))
  const series = (label: string, colour: number, points: readonly Vector[]) => ({
    label,
    colour,
    dash: 0,
    points: [],
    dots: dots(points),
  })
  return {
    type: 'line-chart',
    title: `First view of “${scene.name}” from above, metres`,
    xLabel: 'x, to the right',
    series: [
      series(
        'truth',
        0,
        pixels.map(({ truth }) => truth),
      ),
      series('network', 1, onTruth(view!.points, pixels)),
    ],
    format: 'significant',
  }
}

const newModel = (): NewModel => ({
  config: {
    model_type: POINT_MAP,
    architectures: ['PointMapModel'],
    hidden_size: HIDDEN,
    num_hidden_layers: 3,
    scene_scale: PLACES.hall.distance,
  },
  tokenizer: NUMBER_TOKENIZER,
  /** He's uniform start for ReLU (2015): U(±√(6/in)); biases 0. */
  draw({ shape }, stream) {
    const length = shape.reduce((product, size) => product * size, 1)
    if (shape.length === 1) return new Float32Array(length)
    const reach = Math.sqrt(6 / shape[1]!)
    return Float32Array.from({ length }, () => reach * (2 * stream.uniform() - 1))
  },
})
