/** @file Limits, the command that reproduces the run, and the digests that identify it. */
import { approximationOf, cacheApproximationOf, ROUNDED } from '../../contract/approximate.ts'
import type { Section, Text } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { stateName, wholeNumber } from '../../contract/words.ts'
import { details, label, listed, number, section, table } from '../blocks.ts'

export const limitsSection = ({ limits }: Results): Section[] =>
  listed('What this does not show', limits)

const REPRODUCE = 'How to get this again'

/** For the Markdown card. */
export const commandSection = ({ run }: Results): Section[] =>
  section(REPRODUCE, { type: 'code', text: run.command })

export function reproduceSection({ run, engine }: Results): Section[] {
  const approximation = approximationOf(run.config)
  const facts: [string, Text][] = [
    ['Touchstone', engine.version],
    ['Node', engine.node],
    ['ONNX Runtime', engine.onnxruntime],
    ['Device', `${engine.device}, ${engine.threads} threads`],
    ['Processor', engine.cpu],
    ['Arithmetic beside it', engine.arithmetic],
    ['Platform', engine.platform],
    ['Run', [{ code: run.id }]],
    ['Begun', run.startedAt],
    ['Measured until', run.endedAt],
  ]
  if (approximation)
    facts.unshift([approximation === ROUNDED ? 'Answers' : 'Training', approximation])
  const cache = cacheApproximationOf(run.config)
  if (cache) facts.unshift(['Keys and values', cache])
  return section(
    REPRODUCE,
    { type: 'code', text: run.command },
    { type: 'facts', rows: facts },
    details('The whole configuration', {
      type: 'code',
      text: JSON.stringify(run.config, null, 2) ?? '',
    }),
  )
}

interface Digest {
  readonly what: string
  readonly path: string
  readonly digest: string
  readonly bytes?: number
}

export function digestsSection({ subjects, benchmarks, artifacts }: Results): Section[] {
  const rows: Digest[] = [
    ...subjects.flatMap(subjectDigests),
    ...benchmarks.map(({ title, name, digest }) => ({
      what: `${title}: prompts`,
      path: name,
      digest,
    })),
    ...artifacts.map(({ role, path, digest, bytes }) => ({ what: role, path, digest, bytes })),
  ]
  return section(
    'Digests',
    table(rows, [
      label('What', ({ what }) => what),
      label('Where', ({ path }) => path),
      number('Bytes', ({ bytes }) => (bytes === undefined ? '' : wholeNumber(bytes))),
      label('Digest', ({ digest }) => [{ code: digest }]),
    ]),
  )
}

function subjectDigests(subject: Results['subjects'][number]): Digest[] {
  const parts = [
    [subject.adapterDigest === null ? 'weights' : 'the base’s weights', subject.weightsDigest],
    ['adapter', subject.adapterDigest],
    ['tokenizer', subject.tokenizerDigest],
    // A classifier has no chat template.
    ['chat template', subject.classes ? null : subject.templateDigest],
  ] as const
  return parts.flatMap(([part, digest]) =>
    // Empty where nothing is known of it.
    !digest ? [] : [{ what: `${stateName(subject)}: ${part}`, path: subject.path, digest }],
  )
}
