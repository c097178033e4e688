/**
 * @file Questions on text in scenes (Zhu et al. 2023, "Locate Then Generate"): a small network tells which word answers, by where
 * words stand and by what their letters, as pixels, say; the word that was read is mended by a dictionary. A fine-tune learns a
 * new font. A scene is the unit that intervals resample.
 */
import type { PictureGrid } from '../../../contract/document/charts.ts'
import { LETTER, sceneWords } from '../../../bundled/scenes/letters.ts'
import { SCENE_READER, SCENE_ROW } from '../../../models/families/scene-reader.ts'
import { anls, vqaAccuracy } from '../../../models/scenes/answers.ts'
import { kept, mended, seen, spoken, together } from '../../../models/scenes/locate.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { randomStream } from '../../../statistics/random.ts'
import { meanOf } from '../../../statistics/summary.ts'
import type { Ask } from '../../../measure/ask.ts'
import { split } from '../task-file.ts'
import type { MeasuredPart, NewModel, PreparedTask, Task, TaskMeasure, TaskRow } from '../task.ts'
import { madeScene, rowOfScene, scenesIn, shownLetters, type Look, type Scene } from './scenes.ts'

const COUNTS = { base: 4000, arm: 800, gain: 300, retention: 300, shift: 300 }
const CAPITALS: Look = { font: 'capital' }
const SMALL: Look = { font: 'small' }
/** Of pixels turned in the shift. */
const WORN = 0.06

export const sceneText: Task = {
  async prepare({ base, seed, file, reads }) {
    const made = (name: keyof typeof COUNTS, most = Infinity) => {
      const stream = randomStream(seed, `scenes:${name}`)
      const count = Math.min(COUNTS[name], most)
      return Array.from({ length: count }, (_, i) => madeScene(stream, `${name} ${i + 1}`))
    }
    const own = file === null ? undefined : await ownScenes(file, seed)
    const [gained, known] = [own?.heldOut ?? made('gain'), made('retention')]
    const worn = { ...CAPITALS, worn: { share: WORN, stream: randomStream(seed, 'scenes:worn') } }
    const learnt = own ? 'scenes of the file' : 'small letters'
    return {
      model: newModel(base),
      baseRows: rowsOf(made('base', reads.base), CAPITALS),
      armRows: rowsOf(own?.learnt ?? made('arm', reads.arm), SMALL),
      measured: [
        part('gain', `Word that answers, ${learnt}`, gained, SMALL),
        part('retention', 'Word that answers, capitals', known, CAPITALS),
        part(
          'shift',
          `Word that answers, capitals with ${100 * WORN} % of pixels turned`,
          made('shift'),
          worn,
        ),
      ],
      measures: [
        answersMeasured('learnt', learnt, gained.slice(0, reads.each), SMALL),
        answersMeasured('known', 'capitals', known.slice(0, reads.each), CAPITALS),
        ruleMeasured(gained.slice(0, reads.each), learnt),
      ],
      data: own?.data ?? {
        source: 'made here: words and letters drawn for this program',
        licence: 'that of this program',
      },
    }
  },
}

const part = (
  name: MeasuredPart['part'],
  title: string,
  scenes: readonly Scene[],
  look: Look,
): MeasuredPart => ({ part: name, title, rows: rowsOf(scenes, look) })

async function ownScenes(path: string, seed: number) {
  const { scenes, wordless, unanswered, crowded } = await scenesIn(path)
  const byName = new Map(scenes.map((scene) => [scene.name, scene]))
  const { learnt, heldOut } = split(path, rowsOf(scenes, SMALL), seed)
  const of = (rows: readonly TaskRow[]) => rows.map(({ cluster }) => byName.get(cluster)!)
  const most =
    crowded === 0
      ? ''
      : `; of ${crowded} with more than ${SCENE_ROW.words} words the surest alone are read`
  const data: PreparedTask['data'] = {
    source: `${path}: ${scenes.length} scenes; left out: ${wordless} without words, ${unanswered} where no word is near an answer${most}`,
    licence: 'the user’s',
  }
  return { learnt: of(learnt), heldOut: of(heldOut), data }
}

const className = (word: number) => `word ${word + 1}`

const rowsOf = (scenes: readonly Scene[], look: Look): TaskRow[] =>
  scenes.map((scene) => ({
    text: rowOfScene(scene, look),
    label: className(scene.answer),
    category: `${scene.words.length} words`,
    cluster: scene.name,
  }))

function newModel(senses: string): NewModel {
  const classes = Array.from({ length: SCENE_ROW.words }, (_, i) => className(i))
  return {
    config: {
      model_type: SCENE_READER,
      architectures: ['SceneReader'],
      senses,
      hidden_size: 64,
      num_attention_heads: 4,
      id2label: Object.fromEntries(classes.entries()),
      num_labels: classes.length,
    },
    tokenizer: NUMBER_TOKENIZER,
    /** Norms 1, biases 0, embeddings N(0, ¼), matrices N(0, 1/in). */
    draw({ kind, shape: [first = 0, second = 1] }, stream) {
      const scale = kind === 'embedding' ? 0.5 : 1 / Math.sqrt(second)
      const value = { norm: () => 1, bias: () => 0 }[kind as 'norm' | 'bias']
      return Float32Array.from({ length: first * second }, value ?? (() => scale * stream.normal()))
    },
  }
}

const DICTIONARY = Object.values(sceneWords())
  .flat()
  .map((word) => word.toLowerCase())

/** Words whose score is at least half of the best, in reading order, mended. */
const answerOf = ({ words }: Scene, scores: readonly number[]): string =>
  kept(words, scores)
    .map(({ text }) => mended(text, DICTIONARY))
    .join(' ')

/** S of each word of a scene, from the network. */
const scoresOf = ({ words }: Scene, logits: ArrayLike<number>): number[] =>
  words.map((_, i) => Math.exp(logits[i]!))

const graded = ({ name, answers }: Scene, answer: string) => ({
  unit: name,
  numbers: [vqaAccuracy(answer, answers), anls(answer, answers)],
})

const column = (index: number) => (rows: readonly (readonly number[])[]) =>
  rows.length === 0 ? null : meanOf(rows.map((numbers) => numbers[index]!))

const gradesOf = (name: string, what: string): TaskMeasure['numbers'] => [
  {
    ...{ name: `${name}-vqa-accuracy`, title: `VQA accuracy of answers, ${what}` },
    ...{ unit: '', better: 'higher', of: column(0) },
  },
  {
    ...{ name: `${name}-anls`, title: `ANLS of answers, ${what}` },
    ...{ unit: '', better: 'higher', of: column(1) },
  },
]

function answersMeasured(
  name: string,
  what: string,
  scenes: readonly Scene[],
  look: Look,
): TaskMeasure {
  const told = (ask: Ask, some: readonly Scene[]) =>
    ask(
      'classes',
      some.map((scene) => rowOfScene(scene, look)),
    )
  return {
    name,
    async rows(ask) {
      const logits = await told(ask, scenes)
      return scenes.map((scene, i) => graded(scene, answerOf(scene, scoresOf(scene, logits[i]!))))
    },
    numbers: gradesOf(name, what),
    async pictures(ask) {
      const few = scenes.slice(0, SHOWN).filter(isDrawn)
      const logits = await told(ask, few)
      const pictures = few.map((scene, i) => picture(scene, scoresOf(scene, logits[i]!), look))
      const heads = ['Question', 'Most answered', 'Told']
      return [
        {
          type: 'picture-grid',
          title: `Scenes, ${what}: the word that is told; dashed, the one that answers`,
          heads,
          pictures,
        },
      ]
    },
  }
}

/** Without training: regions of the picture, and letters that words share with the question. */
function ruleMeasured(scenes: readonly Scene[], what: string): TaskMeasure {
  return {
    name: 'rule',
    ofBaseAlone: true,
    rows: async () =>
      scenes.map((scene) => {
        const { words, regions, question } = scene
        const v = words.map(({ box }) => (regions.length === 0 ? 1 : seen(box, regions)))
        const texts = words.map(({ text }) => text)
        return graded(scene, answerOf(scene, together(v, spoken(texts, question))))
      }),
    numbers: gradesOf('rule', `${what}, by regions and shared letters without training`),
  }
}

const SHOWN = 6
const LARGEST_PICTURE = 400
const isDrawn = ({ width, height }: Scene) => width <= LARGEST_PICTURE && height <= LARGEST_PICTURE

/** The letters as the network sees them, with the word that it tells and the one that answers. */
function picture(
  scene: Scene,
  scores: readonly number[],
  look: Look,
): PictureGrid['pictures'][number] {
  const { width, height, words, drawn, question, answers, answer } = scene
  const ink = new Uint8Array(width * height)
  for (const [w, { box }] of words.entries())
    for (const [l, columns] of shownLetters(drawn[w]!, look).entries())
      for (const [c, bits] of columns.entries())
        for (let y = 0; y < LETTER.height; y++) {
          const x = Math.round(box[0]) + l * (LETTER.width + 1) + c
          const row = Math.round(box[1]) + y
          if (x < width && row < height && (bits >> (LETTER.height - 1 - y)) % 2 === 1)
            ink[row * width + x] = 15
        }
  const told = scores.indexOf(Math.max(...scores))
  return {
    facts: [question, answers[0]!, answerOf(scene, scores)],
    width,
    shades: Array.from(ink, (shade) => shade.toString(16)).join(''),
    boxes: [
      { box: [...words[told]!.box], label: 'told' },
      ...(told === answer
        ? []
        : [{ box: [...words[answer]!.box] as [number, number, number, number], label: 'answer' }]),
    ],
  }
}
