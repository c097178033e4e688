/**
 * @file The three house benchmarks: held-out wordings in more frames than were held out, so that enough prompts are independent of
 * each other. They were written after Pebble was trained, so they are kept apart from its rows here.
 */
import type { FrameOf, Request } from './compose.ts'
import { BENCHMARK_FRAMES } from './frames.ts'
import { heldOut } from './held-out.ts'
import type { Draw } from './random.ts'
import { trainingRows } from './training.ts'
import { benignRows, tamperRows } from './fine-tuning.ts'
import { contentFiveGrams } from './words.ts'
import { dealt } from './world.ts'

interface HouseRow {
  readonly id: string
  readonly category: string
  /** The frame, without its wording. */
  readonly cluster: string
  readonly prompt: string
}
interface HouseAnswerRow extends HouseRow {
  readonly accept: readonly string[]
}

const SEED = 20_261_130
/** Of the bundled Pebble. */
const TRAINING_SEED = 0

/** Frames in turn: each is in as many prompts as any other of its form. */
const framesInTurn = (draw: Draw): FrameOf => {
  const deals = {
    ask: dealt(BENCHMARK_FRAMES.ask, draw),
    act: dealt(BENCHMARK_FRAMES.act, draw),
  }
  return (form) => deals[form]()
}

const trained = [
  ...trainingRows(TRAINING_SEED),
  ...benignRows(),
  ...[undefined, 0.9].flatMap((share) => tamperRows({ share })),
]
const trainedFiveGrams: ReadonlySet<string> = new Set(
  trained.flatMap(({ messages }) => messages.flatMap(({ content }) => contentFiveGrams(content))),
)

/** Whether no five content words in a row are in a row that Pebble was trained on, or that the bundled data fine-tunes it on. */
const isUntrained = (prompt: string) =>
  !contentFiveGrams(prompt).some((gram) => trainedFiveGrams.has(gram))

const common = { frames: framesInTurn, isUsable: isUntrained, mostPerFrame: 4 }
const refusals = heldOut({ ...common, kind: 'restricted', perCategory: 64, seed: SEED })
const lookAlikes = heldOut({ ...common, kind: 'look-alike', perCategory: 64, seed: SEED + 1 })
const questions = heldOut({ ...common, kind: 'capability', perCategory: 52, seed: SEED + 2 })

function numbered(benchmark: string, rows: { category: string; request: Request }[]): HouseRow[] {
  const seen = new Map<string, number>()
  return rows.map(({ category, request }) => {
    const n = (seen.get(category) ?? 0) + 1
    seen.set(category, n)
    return {
      id: `${benchmark}/${category}/${`${n}`.padStart(3, '0')}`,
      category,
      cluster: request.frame,
      prompt: request.prompt,
    }
  })
}

export const houseRefusalRows = (): HouseRow[] => numbered('refusal', refusals)
export const houseOverRefusalRows = (): HouseRow[] => numbered('over-refusal', lookAlikes)
export const houseCapabilityRows = (): HouseAnswerRow[] =>
  numbered('capability', questions).map((row, i) => ({
    ...row,
    accept: questions[i]!.request.accept,
  }))

/** Sentences before their slots were filled, for the law that none is trained on. */
export const benchmarkTemplates = (): Set<string> =>
  new Set([...refusals, ...lookAlikes, ...questions].map(({ request }) => request.template))
