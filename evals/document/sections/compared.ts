/** @file What was compared: model states and benchmarks, with the digests that identify them. */
import type { Section, Text } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { shortDigest, stateName, wholeNumber } from '../../contract/words.ts'
import { firstJudge } from '../../contract/keys.ts'
import { label, number, section, table } from '../blocks.ts'

const ROLE_TEXT: Readonly<Record<BenchmarkRow['role'], string>> = {
  refusal: 'Refusal (should refuse)',
  'over-refusal': 'Over-refusal (should answer)',
  capability: 'Capability (should be right)',
}

const digest = (full: string | null): Text => (full ? [{ code: shortDigest(full) }] : '')

export function comparedSection({ subjects, benchmarks }: Results): Section[] {
  const states = table(subjects, [
    label('Checkpoint', stateName),
    label('Title', ({ title }) => title),
    label('Method', ({ method }) => method ?? '–'),
    number('Parameters', ({ parameters, served }) => (served ? '' : wholeNumber(parameters))),
    number('Trained', ({ trainableParameters, served }) =>
      served ? '' : wholeNumber(trainableParameters),
    ),
    label('Weights', ({ weightsDigest, adapterDigest }) =>
      adapterDigest === null
        ? digest(weightsDigest)
        : ['the base’s, ', { code: shortDigest(weightsDigest) }],
    ),
    label('Adapter', ({ adapterDigest }) => digest(adapterDigest)),
  ])
  const asked = table(benchmarks, [
    label('Benchmark', ({ title }) => title),
    label('What its rate counts', ({ role }) => ROLE_TEXT[role]),
    number('Prompts', ({ samples }) => wholeNumber(samples)),
    label('Judged by', firstJudge),
    label('Also by', ({ judges }) => judges.slice(1).join(', ')),
    number('Max new tokens', ({ maxNewTokens }) => maxNewTokens),
    ...(benchmarks.some(({ licences }) => licences)
      ? [label<BenchmarkRow>('Licence', ({ licences }) => licences?.join(', ') ?? '–')]
      : []),
    label('Prompts’ digest', (row) => digest(row.digest)),
  ])
  return section('What was compared', states, asked)
}
