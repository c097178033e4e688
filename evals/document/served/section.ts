/** @file Models behind addresses: what they are called, what could not be asked of them, and how far identical runs differ. */
import type { Section } from '../../contract/document.ts'
import type { MeasuredNoise } from '../../contract/gate.ts'
import { hasVerdict, type Results } from '../../contract/results.ts'
import type { LeftOut } from '../../contract/subjects/served.ts'
import { percent, stateName } from '../../contract/words.ts'
import { label, list, number, paragraph, section, table } from '../blocks.ts'
import { abilitiesText } from './abilities.ts'

type Served = Results['subjects'][number] & {
  readonly served: NonNullable<Results['subjects'][number]['served']>
}

const servedIn = ({ subjects }: Results): Served[] =>
  subjects.flatMap((subject) => (subject.served ? [{ ...subject, served: subject.served }] : []))

export function servedSection(results: Results): Section[] {
  const served = servedIn(results)
  const [first] = served
  if (!first) return []
  const titles = new Map(results.benchmarks.map(({ name, title }) => [name, title]))
  const states = table(served, [
    label('Checkpoint', stateName),
    label('Model', (row) => row.served.model),
    label('Addresses', (row) => row.served.addresses.join(', ')),
    label('Fingerprint', (row) => row.served.fingerprint ?? 'not said'),
    label('Can', (row) => abilitiesText(row.served.capabilities)),
  ])
  const noise = table(results.gate?.noise ?? [], [
    label('Asked again', ({ benchmark }: MeasuredNoise) => titles.get(benchmark) ?? benchmark),
    label('Judged by', ({ judge }) => judge),
    number('Prompts', ({ prompts }) => prompts),
    number('Flipped', ({ flipped }) => flipped),
    label('95 % interval', ({ lower, upper }) => `${percent(lower)} to ${percent(upper)}`),
  ])
  return section(
    'Where it was served',
    paragraph(
      'These models were asked over HTTP, as their servers have them: nothing here saw their weights, tokenizers or templates. Identical requests may get different replies, so the base was asked the same prompts again, in the opposite order; every claim allows for the upper limit of the prompts that flipped.',
    ),
    states,
    noise,
    first.served.leftOut.length > 0 &&
      list(first.served.leftOut.map((row) => leftOutText(row, titles))),
  )
}

/** The terminal's lines. */
export const servedBriefly = (results: Results): Section[] => {
  const served = servedIn(results)
  const leftOut = served[0]?.served.leftOut ?? []
  const titles = new Map(results.benchmarks.map(({ name, title }) => [name, title]))
  const lines = leftOut.map((row) => leftOutText(row, titles))
  return section('Left out', hasVerdict(results) && lines.length > 0 && list(lines))
}

const WHY = 'its server gives no log-probabilities of given text'

const LEFT_OUT_TEXT: Readonly<Record<LeftOut['what'], (name: string) => string>> = {
  options: (name) =>
    `${name} was not asked: its options are scored by log-probability, and ${WHY}.`,
  'neutral-loss': () => `The loss on neutral text was not measured: ${WHY}.`,
  'base-scores': () =>
    'Whether the base finds a reply improbable was not asked, since a server scores no reply of another model; the other rules against degenerate text were applied.',
  texts: (name) => `The perplexity of ${name} was not measured: ${WHY}.`,
  judge: (name) => `The judge ${name} was not asked: it needs probabilities of the model itself.`,
}

const leftOutText = ({ what, name }: LeftOut, titles: ReadonlyMap<string, string>): string =>
  LEFT_OUT_TEXT[what](titles.get(name ?? '') ?? name ?? '')
