/**
 * @file LoRA-Composer (Yang et al. 2024) on canvases of handwritten digits: an arm learns one concept, a digit in a style; the
 * adapter of another is trained once. What is gained is how often the concept is cleaned out of noise by its word, what may be
 * forgotten are the base's digits; `composition.ts` composes both concepts on one canvas.
 */
import { lora } from '../../../finetune/methods/lora.ts'
import { cleaned, levelOf } from '../../../models/diffusion/schedule.ts'
import { DENOISER } from '../../../models/families/denoiser.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { digitsIn } from '../diffusion/worlds.ts'
import { labelOf, LEVELS, noised, rowText, startOfDenoiser } from '../diffusion/denoising.ts'
import { split } from '../task-file.ts'
import type { MeasuredPart, NewModel, Task, TaskRow } from '../task.ts'
import {
  CANVAS_SIDE,
  canvasOf,
  CONCEPTS,
  CORNERS,
  cornerOf,
  digitsFor,
  NOTHING,
  READINGS,
  twoCorners,
  WORDS,
  type Concept,
  type Digits,
  type Drawn,
} from './canvases.ts'
import { compositionMeasure } from './composition.ts'
import { SMALL } from './composer-facts.ts'

/** At most so many rows of each are made; more steps read them again under the same noise. */
const ROWS = { base: 6000, arm: 2400 }
/** Levels at which canvases are cleaned in one call: 0.30 and 0.19 of the thing. */
const CLEANED_AT = { usual: 160, shift: 176 }
const SHARES = { unlabelled: 0.15, pair: 0.5 }
/** Corners in which each held-out digit is asked. */
const ASKED_IN = { gain: 4, retention: 2, shift: 2 }

const SIZE = { hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4 }
const SMALL_SIZE = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 }

export const composer: Task = {
  async prepare({ base, seed, file, reads }) {
    const digits = file === null ? digitsFor(seed) : await withOwn(digitsFor(seed), file, seed)
    const learnt = (concept: Concept) =>
      conceptRows(digits, concept, { count: Math.min(ROWS.arm, reads.arm), seed })
    const isSmall = base === SMALL
    return {
      model: newModel(isSmall ? SMALL_SIZE : SIZE),
      baseRows: digitRows(digitsFor(seed), Math.min(ROWS.base, reads.base), seed),
      armRows: [],
      companion: { method: { name: lora.name, config: COMPANION }, rows: learnt(CONCEPTS[1]) },
      fromBase: async (_, network, companion) => ({
        armRows: learnt(CONCEPTS[0]),
        measures: [
          compositionMeasure({
            digits,
            // Copied, since the base is closed before arms are measured.
            base: new Map((await network()).weights),
            companion: companion!,
            seed,
            isSmall,
          }),
        ],
      }),
      measured: [
        part(
          'gain',
          `Canvases whose ${CONCEPTS[0].title} is told from noise by its word`,
          digits,
          seed,
        ),
        part('retention', 'Canvases whose digit is told from noise by its word', digits, seed),
        part('shift', 'The same under more noise', digits, seed),
      ],
      data: {
        source:
          'Optical Recognition of Handwritten Digits, test part (Alpaydin and Kaynak 1998, UCI), as scikit-learn 1.9.1 ships it; styles made here',
        licence: 'CC BY 4.0',
      },
    }
  },
}

const COMPANION = { rank: 16, alpha: 32 }

/** Concepts are styles of the user's digits; the base and what reads are as before. */
async function withOwn(digits: Digits, file: string, seed: number): Promise<Digits> {
  const things = new Map((await digitsIn(file)).map((thing) => [thing.unit, thing]))
  const rows = [...things.keys()].map((cluster) => ({ text: '', label: '', category: '', cluster }))
  const { learnt, heldOut } = split(file, rows, seed)
  const of = (some: readonly TaskRow[]) =>
    some.map(({ cluster }): Drawn => {
      const { x, label, unit } = things.get(cluster)!
      return { pixels: x, digit: label, unit }
    })
  return { ...digits, learnt: of(learnt), heldOut: of(heldOut) }
}

function newModel(size: typeof SIZE): NewModel {
  return {
    config: {
      model_type: DENOISER,
      architectures: ['Denoiser'],
      network: 'patches',
      side: CANVAS_SIDE,
      prompt_length: CONCEPTS.length,
      prompt_vocabulary: WORDS,
      ...size,
      id2label: Object.fromEntries(READINGS.entries()),
      num_labels: READINGS.length,
    },
    tokenizer: NUMBER_TOKENIZER,
    draw: startOfDenoiser,
  }
}

const oneOf = <T>(things: readonly T[], stream: RandomStream): T =>
  things[stream.integer(things.length)]!

interface Shown {
  readonly canvas: Float64Array
  readonly words: readonly number[]
  readonly category: string
  readonly unit: string
}

/** A canvas under noise, and the noise to tell. */
function denoisingRow({ canvas, words, category, unit }: Shown, stream: RandomStream): TaskRow {
  const { x, noise, t } = noised(canvas, stream.integer(LEVELS), stream)
  return { text: rowText(x, t, words), label: labelOf(noise), category, cluster: unit }
}

/** One or two digits in corners, some without their words. */
function digitRows({ learnt }: Digits, count: number, seed: number): TaskRow[] {
  const stream = randomStream(seed, 'canvas:base')
  return Array.from({ length: count }, () => {
    const pair = [oneOf(learnt, stream), oneOf(learnt, stream)]
    const drawn = pair.slice(0, stream.uniform() < SHARES.pair ? 2 : 1)
    const corners = twoCorners(stream)
    const isTold = stream.uniform() >= SHARES.unlabelled
    const words = pair.map(({ digit }, i) => (isTold && i < drawn.length ? digit : NOTHING))
    const canvas = canvasOf(drawn.map(({ pixels }, i) => ({ corner: corners[i]!, pixels })))
    const shown = { canvas, words, category: drawn.map(({ digit }) => digit).join(' and ') }
    return denoisingRow({ ...shown, unit: drawn[0]!.unit }, stream)
  })
}

/** A concept alone on the canvas, in any corner. */
function conceptRows(
  { learnt }: Digits,
  { word, digit, title, style }: Concept,
  { count, seed }: { readonly count: number; readonly seed: number },
): TaskRow[] {
  const stream = randomStream(seed, `canvas:${title}`)
  const own = learnt.filter((drawn) => drawn.digit === digit)
  return Array.from({ length: count }, () => {
    const { pixels, unit } = oneOf(own, stream)
    const corner = stream.integer(CORNERS.length)
    const canvas = canvasOf([{ corner, pixels: style(pixels) }])
    return denoisingRow({ canvas, words: [word, NOTHING], category: title, unit }, stream)
  })
}

/** Canvases that are cleaned in one call by their word; what then stands in the corner is read. */
function part(
  name: MeasuredPart['part'],
  title: string,
  digits: Digits,
  seed: number,
): MeasuredPart {
  const [concept] = CONCEPTS
  const isGain = name === 'gain'
  const own = digits.heldOut.filter(({ digit }) => !isGain || digit === concept.digit)
  const stream = randomStream(seed, `canvas:${name}`)
  const level = name === 'shift' ? CLEANED_AT.shift : CLEANED_AT.usual
  const inCorners = own.flatMap((drawn) =>
    stream
      .shuffle([...CORNERS.keys()])
      .slice(0, ASKED_IN[name])
      .map((corner) => ({ ...drawn, corner })),
  )
  const asked = inCorners.map(({ pixels, digit, unit, corner }) => {
    const shown = isGain ? concept.style(pixels) : pixels
    const { x } = noised(canvasOf([{ corner, pixels: shown }]), level, stream)
    const told = isGain ? concept.title : String(digit)
    return { x, corner, unit, told, words: [isGain ? concept.word : digit, NOTHING] }
  })
  return {
    part: name,
    title,
    rows: asked.map(({ told, unit }, i) => ({
      text: `canvas ${i}`,
      label: told,
      category: told,
      cluster: unit,
    })),
    async read(ask, texts) {
      const rows = texts.map((text) => asked[Number(text.split(' ')[1])]!)
      const noises = await ask(
        'classes',
        rows.map(({ x, words }) => rowText(x, level, words)),
      )
      return rows.map(({ x, corner }, i) =>
        digits.scores(cornerOf(cleaned(x, noises[i]!, levelOf(level, LEVELS), 1), corner)),
      )
    },
  }
}
