/**
 * @file Perplexity of the user's texts: `--suite notes.txt` or `perplexity=PATH`. Σ log p over a text's words or bytes, as
 * lm-evaluation-harness reports a rolling log-likelihood:
 *
 *     word = exp(−Σ/words)    byte = exp(−Σ/bytes)    bits per byte = −Σ/(bytes · ln 2)
 */
import type { ArtifactRow, SubjectKey } from '../contract/rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { describeText, textName, textPieces, type TextFile } from '../tables/text-file.ts'
import type { RollingScore } from '../inference/rolling.ts'
import type { Subject } from '../inference/subject.ts'
import type { JobContext } from '../contract/job.ts'
import type { EvaluationConfig } from './config.ts'

export interface PreparedText extends TextFile {
  readonly name: string
  /** Tokens of context; the harness’s `max_length`. */
  readonly window: number
}

interface Perplexity extends RollingScore {
  readonly word: number
  readonly byte: number
  readonly bitsPerByte: number
}

/** Prefix that forces it: `perplexity=PATH`. */
export const PERPLEXITY = 'perplexity'
const FORCED = new RegExp(`^${PERPLEXITY}=(?<path>.+)$`, 'su')

export const isTextPath = (path: string): boolean => /\.(txt|text)$/i.test(path)

/** The path, if a suite’s entry is a text. */
export function textPathOf(entry: string): string | undefined {
  return FORCED.exec(entry)?.groups!['path'] ?? (isTextPath(entry) ? entry : undefined)
}

/** Reads each text once to identify it; keeps nothing of it. */
export async function prepareTexts({
  suite,
  textWindow: window,
}: Pick<EvaluationConfig, 'suite' | 'textWindow'>): Promise<PreparedText[]> {
  const paths = suite.flatMap((entry) => textPathOf(entry) ?? [])
  const texts = await Promise.all(
    paths.map(async (path) => ({ ...(await describeText(path)), name: textName(path), window })),
  )
  const names = texts.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return texts
  throw usageError(
    `Two texts of the suite are both named ${twice}.`,
    'Give one of the files another name, or evaluate them in two runs.',
  )
}

export const textNotes = (texts: readonly PreparedText[]): string[] =>
  texts.map(
    ({ name, path, digest, words, textBytes, window }) =>
      `${name}: ${words} words, ${textBytes} bytes of ${path}, sha256 ${digest}; windows of at most ${window} tokens`,
  )

export const textArtifact = ({ name, path, digest, bytes }: PreparedText): ArtifactRow => ({
  role: `text of ${name}`,
  path,
  digest,
  bytes,
})

export async function perplexityOf(
  subject: Pick<Subject, 'rolling'>,
  { path, words, textBytes, window }: PreparedText,
  options: { readonly signal: AbortSignal; readonly onProgress: (tokens: number) => void },
): Promise<Perplexity> {
  const score = await subject.rolling(textPieces(path), { window, ...options })
  const { logProb } = score
  return {
    ...score,
    word: Math.exp(-logProb / words),
    byte: Math.exp(-logProb / textBytes),
    bitsPerByte: -logProb / textBytes / Math.LN2,
  }
}

const said = ({ name }: PreparedText, { word, byte, bitsPerByte, tokens }: Perplexity) =>
  `${name}: ${word.toPrecision(5)} a word, ${byte.toPrecision(5)} a byte, ${bitsPerByte.toPrecision(5)} bits a byte, over ${tokens} tokens`

/** Metrics `perplexity/NAME/word`, `…/byte` and `…/bits-per-byte`; the text itself is not stored. */
export async function scoreText(
  subject: Subject,
  key: SubjectKey,
  text: PreparedText,
  { emit, flush, signal, phase }: JobContext & { readonly phase: string },
): Promise<void> {
  emit({ type: 'phase-start', phase, unit: 'token' })
  const onProgress = (done: number) => emit({ type: 'phase-progress', phase, done })
  const found = await perplexityOf(subject, text, { signal, onProgress })
  const values = { word: found.word, byte: found.byte, 'bits-per-byte': found.bitsPerByte }
  for (const [unit, value] of Object.entries(values))
    emit({ type: 'metric', row: { ...key, name: `perplexity/${text.name}/${unit}`, value } })
  emit({ type: 'log', level: 'info', message: said(text, found) })
  emit({ type: 'evaluation-end', subject: key, benchmark: text.name, samples: found.tokens })
  emit({ type: 'phase-end', phase })
  flush()
}
