/**
 * @file Which word of a scene answers a question (after Zhu et al. 2023): letters as pixels go through a small transformer, the
 * question scores words by what they say (t) and by where they stand (v), and S = v^½ · t^½ is over the words.
 *
 * A row of numbers is the question's words, then for each word its box and its letters' columns of pixels.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Dim, Value } from '../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../architecture.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { NUMBER_UNIT } from '../text/number-tokenizer.ts'
import { createWeightList } from '../weight-list.ts'

export const SCENE_READER = 'scene-reader'
export const SENSES = ['both', 'visual', 'language'] as const

/** Of a row, which is shorter than the 512 numbers that training reads. */
export const SCENE_ROW = {
  question: 8,
  vocabulary: 128,
  words: 12,
  letters: 7,
  columns: 5,
} as const
const BOX = 4
/** Rows of pixels of a letter. */
const TALL = 7
const { question: ASKED, words: WORDS, letters: LETTERS, columns: COLUMNS } = SCENE_ROW
const OF_WORD = BOX + LETTERS * COLUMNS
const LENGTH = ASKED + WORDS * OF_WORD

const config = z.looseObject({
  ...classFields,
  model_type: z.literal(SCENE_READER),
  /** What scores words: both, or one alone. */
  senses: z.enum(SENSES).default('both'),
  hidden_size: z.int().min(4).max(4096).default(64),
  num_attention_heads: z.int().min(1).max(64).default(4),
})
type SceneReaderConfig = z.infer<typeof config>

interface Row {
  /** int32 `[batch, asked]` */
  readonly question: Value
  /** `[batch·words, 4]`: x and y of the middle, width, height; 0 where there is no word. */
  readonly boxes: Value
  /** `[batch·words·letters, columns·7]`: pixels 0 or 1. */
  readonly pixels: Value
}

/** Bits of 0 … 127, the highest first, `[128, 7]`. */
const BITS = Array.from(
  { length: 2 ** TALL * TALL },
  (_, i) => Math.floor(i / TALL / 2 ** (TALL - 1 - (i % TALL))) % 2,
)

function rowOf(g: Graph, { tokens, batch }: ForwardInput): Row {
  const across = g.transpose(tokens!)
  const places = (list: readonly number[]) =>
    g.transpose(g.gatherRows(across, g.constant(list, 'int32', [list.length])))
  const inWords = (from: number, count: number) =>
    Array.from(
      { length: WORDS * count },
      (_, i) => ASKED + Math.floor(i / count) * OF_WORD + from + (i % count),
    )
  const numbers = (y: Value) => g.mul(g.cast(y, g.float), g.scalar(1 / NUMBER_UNIT))
  const whole = (y: Value) => g.cast(numbers(y), 'int32')
  const columns = whole(places(inWords(BOX, LETTERS * COLUMNS)))
  const cells = multiply(batch, WORDS * LETTERS)
  const bits = g.gatherRows(g.constant(BITS, g.float, [2 ** TALL, TALL]), columns)
  return {
    question: whole(places(Array.from({ length: ASKED }, (_, i) => i))),
    boxes: g.reshape(numbers(places(inWords(0, BOX))), [multiply(batch, WORDS), BOX]),
    pixels: g.reshape(bits, [cells, COLUMNS * TALL]),
  }
}

const EPSILON = 1e-5
const MASKED = -1e4

/** A block of attention over the letters of each word: pixels → `[batch·words, hidden]`. */
function wordVectors(scope: ModelScope, pixels: Value, batch: Dim, c: SceneReaderConfig): Value {
  const { g, linear, weight } = scope
  const [width, heads] = [c.hidden_size, c.num_attention_heads]
  const count = multiply(batch, WORDS)
  const cells = multiply(count, LETTERS)
  const normed = (name: string, x: Value) => g.rmsNorm(x, weight(`${name}.weight`), EPSILON)
  const letters = g.reshape(linear('letters.0.glyph', pixels), [count, LETTERS, width])
  const begin = g.reshape(g.add(letters, weight('positions.weight')), [cells, width])
  const own = normed('letters.0.norm', begin)
  const layout = { batch: count, seq: LETTERS, kvHeads: heads, headDim: width / heads }
  const split = (part: string, more: object = {}) =>
    g.splitHeads(linear(`letters.0.${part}`, own), { ...layout, ...more })
  const group = { group: 1 }
  const inputs = [split('q', group), split('k'), split('v')] as const
  const scores = { scale: 1 / Math.sqrt(width / heads), softmax: 'whole' } as const
  const mixed = g.joinHeads(g.attention(inputs, scores), { ...layout, ...group })
  const seen = g.add(begin, linear('letters.0.o', mixed))
  const up = g.silu(linear('letters.0.up', normed('letters.0.mlp_norm', seen)))
  const end = g.add(seen, linear('letters.0.down', up))
  const sum = g.reduceSum(g.reshape(end, [count, LETTERS, width]), [1], { keepDims: false })
  return g.mul(sum, g.scalar(1 / LETTERS))
}

/** Log-probabilities of the words, `[batch, words]`; their mean where both senses score. */
function scores(scope: ModelScope, row: Row, batch: Dim, c: SceneReaderConfig): Value {
  const { g, linear } = scope
  const width = c.hidden_size
  const asked = g.reduceSum(
    g.reshape(scope.embedding('question', row.question), [batch, ASKED, width]),
    [1],
    { keepDims: false },
  )
  const onWords = (x: Value) => g.reshape(x, [batch, WORDS, width])
  const [wide] = [g.reduceSum(g.reshape(row.boxes, [batch, WORDS, BOX]), [2], { keepDims: false })]
  const mask = g.where(
    g.greaterOrEqual(wide, g.scalar(Number.EPSILON)),
    g.scalar(0),
    g.scalar(MASKED),
  )
  const score = (part: string, words: Value) => {
    const key = g.reshape(linear(`scores.1.${part}_question`, asked), [batch, 1, width])
    const dots = g.reduceSum(g.mul(onWords(words), key), [2], { keepDims: false })
    return g.logSoftmax(g.add(g.mul(dots, g.scalar(1 / Math.sqrt(width))), mask))
  }
  const said = () =>
    score('word', linear('scores.1.word', wordVectors(scope, row.pixels, batch, c)))
  const seen = () => score('place', g.silu(linear('scores.1.place', row.boxes)))
  if (c.senses !== 'both') return c.senses === 'visual' ? seen() : said()
  return g.mul(g.add(seen(), said()), g.scalar(0.5))
}

const architecture: ModelArchitecture<SceneReaderConfig> = {
  name: SCENE_READER,
  kind: 'encoder',
  modelTypes: [SCENE_READER],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    const width = c.hidden_size
    const square = (name: string, layer: number, options: object = {}) =>
      list.linear(name, [width, width], { layer, ...options })
    list.embedding('question', [SCENE_ROW.vocabulary, width])
    if (c.senses !== 'visual') {
      list.linear('letters.0.glyph', [width, COLUMNS * TALL], { biased: true, layer: 0 })
      list.embedding('positions', [LETTERS, width])
      for (const norm of ['norm', 'mlp_norm']) list.norm(`letters.0.${norm}`, width)
      for (const part of ['q', 'k', 'v', 'o']) square(`letters.0.${part}`, 0)
      list.linear('letters.0.up', [2 * width, width], { biased: true, layer: 0 })
      list.linear('letters.0.down', [width, 2 * width], { layer: 0 })
      square('scores.1.word', 1)
      square('scores.1.word_question', 1)
    }
    if (c.senses !== 'language') {
      list.linear('scores.1.place', [width, BOX], { biased: true, layer: 1 })
      square('scores.1.place_question', 1)
    }
    return list.specs()
  },
  states: 'rows',
  /** The words' scores. */
  forward: (scope, input, c) => ({
    hiddenStates: scores(scope, rowOf(scope.g, input), input.batch, c),
    present: [],
  }),
  logits: (_, hidden) => hidden,
  attention: () => [],
  classifier: {
    className: 'SceneReader',
    classes: (c) => classesIn(c),
    output: () => 'scores.1.word.weight',
    owns: () => false,
  },
  maxPositions: () => LENGTH,
}

export const sceneReader: ModelFamily = { architecture }
