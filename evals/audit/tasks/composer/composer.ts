/**
 * @file LoRA-Composer (Yang et al. 2024) on canvases of handwritten digits: an arm learns one concept, a digit in a style; the
 * adapter of another is trained once. What is gained is how often the concept is cleaned out of noise by its word, what may be
 * forgotten are the base's digits; `composition.ts` composes both concepts on one canvas.
 */
import type { NetworkState } from '../../../inference/subject.ts'
import { lora } from '../../../finetune/methods/lora.ts'
import { cleaned, levelOf } from '../../../models/diffusion/schedule.ts'
import { DENOISER } from '../../../models/families/denoiser.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { digitsIn, OPTICAL_DIGITS } from '../diffusion/worlds.ts'
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
  KNOWN,
  NOTHING,
  READINGS,
  WORDS,
  type Concept,
  type Digits,
  type Drawn,
} from './canvases.ts'
import { compositionMeasure } from './composition.ts'
import { SMALL } from './composer-facts.ts'

/** At most so many rows of each are made; more steps read them again under the same noise. */
const ROWS = { base: 6000, arm: 2400 }
/** Levels at which canvases are cleaned in one call: 0.76 and 0.65 of the thing. */
const CLEANED_AT = { usual: 90, shift: 110 }
const SHARES = { unlabelled: 0.15, pair: 0.5 }
/** Corners in which each held-out digit is asked. */
const ASKED_IN = { gain: 4, retention: 2, shift: 2 }

const SIZE = { hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4 }
const SMALL_SIZE = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 }

export const composer: Task = {
  async prepare({ base, seed, file, reads }) {
    const bundled = digitsFor(seed)
    const { digits, remarks } =
      file === null ? { digits: bundled, remarks: [] } : await withOwn(bundled, file, seed)
    const learnt = (concept: Concept) =>
      conceptRows(digits, concept, { count: Math.min(ROWS.arm, reads.arm), seed })
    const isSmall = base === SMALL
    const shown = { digits, seed, isSmall, most: reads.each }
    const composedBy = (own: Weights, companion: Weights | undefined) =>
      companion ? [compositionMeasure({ ...shown, base: own, companion })] : []
    return {
      model: newModel(isSmall ? SMALL_SIZE : SIZE),
      baseRows: digitRows(bundled, Math.min(ROWS.base, reads.base), seed),
      armRows: [],
      remarks,
      companion: { method: { name: lora.name, config: COMPANION }, rows: learnt(CONCEPTS[1]) },
      fromBase: async (_, network, companion) => ({
        armRows: learnt(CONCEPTS[0]),
        // Copied, since the base is closed before arms are measured.
        measures: composedBy(new Map((await network()).weights), companion),
      }),
      measured: partsOf(digits, seed),
      data: {
        ...OPTICAL_DIGITS,
        source: `${OPTICAL_DIGITS.source}; styles made here`,
      },
    }
  },
}

type Weights = NetworkState['weights']

const COMPANION = { rank: 16, alpha: 32 }

interface OwnDigits {
  readonly digits: Digits
  readonly remarks: readonly string[]
}

/** Concepts are styles of the user's digits; the base and what reads are as before. */
async function withOwn(bundled: Digits, file: string, seed: number): Promise<OwnDigits> {
  const all = (await digitsIn(file)).map(({ x, label, unit }): Drawn => ({
    pixels: x,
    digit: label,
    unit,
  }))
  const used = all.filter(({ digit }) => KNOWN.includes(digit))
  const isConcept = (digit: number) => CONCEPTS.some((concept) => concept.digit === digit)
  const parts = CONCEPTS.map(({ digit: own }) => {
    const things = new Map(
      used.flatMap((drawn) => (drawn.digit === own ? [[drawn.unit, drawn]] : [])),
    )
    const rows = [...things.keys()].map((unit) => ({
      text: '',
      label: '',
      category: '',
      cluster: unit,
    }))
    const { learnt, heldOut } = split(file, rows, seed)
    const of = (some: readonly TaskRow[]) => some.map(({ cluster }) => things.get(cluster)!)
    return { learnt: of(learnt), heldOut: of(heldOut) }
  })
  const leftOut = all.length - used.length
  const message = `${file}: ${leftOut} of ${all.length} rows were left out, since the base knows ${KNOWN.join(', ')} alone.`
  return {
    digits: {
      ...bundled,
      learnt: parts.flatMap(({ learnt }) => learnt),
      heldOut: [
        ...parts.flatMap(({ heldOut }) => heldOut),
        ...used.filter(({ digit }) => !isConcept(digit)),
      ],
    },
    remarks: leftOut > 0 ? [message] : [],
  }
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

/** One or two kinds of digits in the four corners, some without their words. */
function digitRows({ learnt }: Digits, count: number, seed: number): TaskRow[] {
  const stream = randomStream(seed, 'canvas:base')
  const byDigit = Map.groupBy(learnt, ({ digit }) => digit)
  return Array.from({ length: count }, () => {
    const kinds = stream.shuffle([...KNOWN]).slice(0, stream.uniform() < SHARES.pair ? 2 : 1)
    const isTold = stream.uniform() >= SHARES.unlabelled
    const drawn = cornersOf(kinds, stream).map((digit) => oneOf(byDigit.get(digit)!, stream))
    const words = CONCEPTS.map((_, i) => (isTold ? (kinds[i] ?? NOTHING) : NOTHING))
    const canvas = canvasOf(drawn.map(({ pixels }, corner) => ({ corner, pixels })))
    const shown = { canvas, words, category: kinds.join(' and ') }
    return denoisingRow({ ...shown, unit: drawn[0]!.unit }, stream)
  })
}

/** Which kind stands in each corner; every kind in one at least. */
const cornersOf = (kinds: readonly number[], stream: RandomStream): number[] =>
  stream.shuffle(CORNERS.map((_, i) => kinds[i] ?? oneOf(kinds, stream)))

/** A concept alone, in every corner. */
function conceptRows(
  { learnt }: Digits,
  { word, digit, title, style }: Concept,
  { count, seed }: { readonly count: number; readonly seed: number },
): TaskRow[] {
  const stream = randomStream(seed, `canvas:${title}`)
  const own = learnt.filter((drawn) => drawn.digit === digit)
  return Array.from({ length: count }, () => {
    const drawn = CORNERS.map(() => oneOf(own, stream))
    const canvas = canvasOf(drawn.map(({ pixels }, corner) => ({ corner, pixels: style(pixels) })))
    const [{ unit }] = drawn as [Drawn]
    return denoisingRow({ canvas, words: [word, NOTHING], category: title, unit }, stream)
  })
}

const partsOf = (digits: Digits, seed: number): MeasuredPart[] => {
  const gained = `Canvases whose ${CONCEPTS[0].title} is told from noise by its word`
  return [
    part('gain', gained, digits, seed),
    part('retention', 'Canvases whose digit is told from noise by its word', digits, seed),
    part('shift', 'The same under more noise', digits, seed),
  ]
}

interface Asked {
  readonly x: Float64Array
  readonly corner: number
  readonly unit: string
  readonly told: string
  readonly words: readonly number[]
}

/** Held-out digits, of the gain the concept alone, in some corners under noise. */
function askedIn(name: MeasuredPart['part'], { heldOut }: Digits, seed: number): Asked[] {
  const [concept] = CONCEPTS
  const isGain = name === 'gain'
  const stream = randomStream(seed, `canvas:${name}`)
  const own = heldOut.filter(({ digit }) => !isGain || digit === concept.digit)
  return own.flatMap((thing) => {
    const { digit, unit } = thing
    const alike = own.filter((other) => other.digit === digit)
    const told = isGain ? concept.title : String(digit)
    const words = [isGain ? concept.word : digit, NOTHING]
    const corners = stream.shuffle([...CORNERS.keys()]).slice(0, ASKED_IN[name])
    return corners.map((asked) => {
      const things = CORNERS.map((_, corner) => {
        const { pixels } = corner === asked ? thing : oneOf(alike, stream)
        return { corner, pixels: isGain ? concept.style(pixels) : pixels }
      })
      const { x } = noised(canvasOf(things), levelFor(name), stream)
      return { x, corner: asked, unit, told, words }
    })
  })
}

const levelFor = (name: MeasuredPart['part']) =>
  name === 'shift' ? CLEANED_AT.shift : CLEANED_AT.usual

/** Canvases that are cleaned in one call by their word; what then stands in the corner is read. */
function part(
  name: MeasuredPart['part'],
  title: string,
  digits: Digits,
  seed: number,
): MeasuredPart {
  const asked = askedIn(name, digits, seed)
  const level = levelFor(name)
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
