/**
 * @file The semantic judge on a sentence encoder in place of n-grams: the same frames, replies, segments and pooling, and a softmax
 * regression on the encoder's vectors. It shows what an encoder would give, and is not shipped.
 */
import { openEncoderSession } from '../../inference/encoder-session.ts'
import { adamW, type OptimizerState } from '../../graph/optimizer.ts'
import { unquoted } from '../../judges/semantic/asked.ts'
import { decideBy } from '../../judges/semantic/decide.ts'
import { CLASSES, type Classifier, type Probabilities } from '../../judges/semantic/model.ts'
import { segments } from '../../judges/semantic/segments.ts'
import { softmax } from '../../judges/semantic/softmax.ts'
import { encodeWhole } from '../../models/text/whole-text.ts'
import { loadModel } from '../../models/load.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { randomStream } from '../../statistics/random.ts'
import { trainingReplies, type Composed, type Language } from './corpus.ts'
import { errorsOf } from './regression.ts'
import { drawer, poolingBy, TRAINING, type Example } from './training.ts'

/** Sentences that are drawn and embedded. */
const DRAWN = 12_000
const PARTS = 2
const STEPS = 600
const LEARNING_RATE = 0.02
const WEIGHT_DECAY = 0.01
/** Vectors have length 1, and logits of a softmax are larger. */
const SCALE = 10
const LONGEST = 128

const NO_NGRAMS = new Uint32Array()

type Embed = (texts: readonly string[]) => Promise<Float32Array[]>

/** Outcomes of replies by a judge on the encoder in `folder`, trained on the frames of these languages. */
export async function byEncoder(
  folder: string,
  languages: readonly Language[],
  replies: readonly Composed[],
): Promise<string[]> {
  const { open, model, weights } = await loadModel(folder)
  const { tokenizer } = open
  const limits = { maxPositions: LONGEST, padId: tokenizer.padId, batchSize: 64 }
  const session = openEncoderSession({ model, frozen: weights }, chooseDevice('cpu'), limits)
  const embed: Embed = async (texts) => {
    const ids = texts.map((text) => [...encodeWhole(tokenizer, text, LONGEST).ids])
    const order = ids.map((_, i) => i).sort((a, b) => ids[a]!.length - ids[b]!.length)
    const found = await session.run(
      'embedding',
      order.map((i) => ids[i]!),
    )
    const vectors = new Array<Float32Array>(ids.length)
    order.forEach((i, at) => (vectors[i] = found[at]!))
    return vectors
  }
  try {
    const own = trainingReplies().first.filter(({ language }) =>
      languages.some(({ name }) => name === language),
    )
    const vectors = await vectorsOf(embed, [...own, ...replies])
    const fit = async (of: readonly Composed[]): Promise<Classifier> => {
      const head = await fitHead(languages, of, embed)
      return classifierBy((text) => named(probabilities(head, vectors.get(text)!)))
    }
    // Only the segments of these replies have vectors, so there are none of frames.
    const pooling = await poolingBy(fit, [], { ...TRAINING, all: own, parts: PARTS })
    const classifier = await fit(own)
    const by = { pooling, prompted: pooling }
    return replies.map(({ text, prompt }) => decideBy(classifier, by, text, prompt).outcome)
  } finally {
    await session.release()
    await open.close()
  }
}

/** Without n-grams there is nothing to read of the parts together. */
const classifierBy = (named: (text: string) => Probabilities): Classifier => ({
  part: (text) => ({ text, p: named(text), found: NO_NGRAMS }),
  whole: () => [],
})

/** Row by row `[classes, width + 1]`, the last of each row its bias. */
type Head = Float32Array

async function fitHead(
  languages: readonly Language[],
  replies: readonly Composed[],
  embed: Embed,
): Promise<Head> {
  const random = randomStream(0, 'semantic judge on an encoder')
  const draw = drawer(languages, replies, { random, share: TRAINING.replies })
  const examples = Array.from({ length: DRAWN }, draw)
  const vectors = await embed(examples.map(({ text }) => text))
  const size = CLASSES.length * (vectors[0]!.length + 1)
  const parameters = new Float32Array(size)
  const moments = { firstMoment: new Float32Array(size), secondMoment: new Float32Array(size) }
  const state: OptimizerState = { parameters, ...moments, step: 0 }
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: WEIGHT_DECAY }
  const groups = [{ start: 0, end: size, learningRateScale: 1, decays: true }]
  for (let step = 0; step < STEPS; step++) {
    const gradient = new Float32Array(size)
    for (let i = 0; i < 256; i++) {
      const at = random.integer(examples.length)
      addGradient(gradient, parameters, vectors[at]!, examples[at]!)
    }
    await adamW(state, gradient, adam, groups, LEARNING_RATE * (1 - step / STEPS), 1 / 256)
  }
  return parameters
}

function addGradient(
  gradient: Float32Array,
  head: Head,
  vector: Float32Array,
  { targets }: Example,
): void {
  const errors = errorsOf(probabilities(head, vector), targets)
  const row = vector.length + 1
  errors.forEach((error, c) => {
    for (let j = 0; j < vector.length; j++) gradient[c * row + j]! += SCALE * error * vector[j]!
    gradient[c * row + vector.length]! += error
  })
}

function probabilities(head: Head, vector: Float32Array): number[] {
  const row = vector.length + 1
  const logits = CLASSES.map((_, c) => {
    let sum = 0
    for (let j = 0; j < vector.length; j++) sum += head[c * row + j]! * vector[j]!
    return SCALE * sum + head[c * row + vector.length]!
  })
  softmax(logits)
  return logits
}

/** Of the segments of these replies. */
async function vectorsOf(embed: Embed, replies: readonly Composed[]) {
  const texts = [
    ...new Set(replies.flatMap(({ text }) => [text, unquoted(text)].flatMap(segments))),
  ]
  const vectors = await embed(texts)
  return new Map(texts.map((text, i) => [text, vectors[i]!]))
}

const named = (found: readonly number[]) =>
  Object.fromEntries(CLASSES.map((name, c) => [name, found[c]!])) as Record<
    (typeof CLASSES)[number],
    number
  >
