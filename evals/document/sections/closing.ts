/** @file Limits, the command that reproduces the run, and the digests that pin it down. */
import { approximationOf } from '../../contract/approximate.ts'
import type { Results } from '../../contract/results.ts'
import { html, prose, type Content, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import { stateName, wholeNumber } from '../view.ts'

export function limitsSection({ limits }: Results): Markup {
  return html`<h2>What this does not show</h2>
    <ul>
      ${limits.map((limit) => html`<li>${prose(limit)}</li>`)}
    </ul>`
}

export function reproduceSection({ run, engine }: Results): Markup {
  const approximation = approximationOf(run.config)
  const facts: readonly (readonly [string, Content])[] = [
    ...(approximation ? [['Training', approximation] as const] : []),
    ['Touchstone', engine.version],
    ['Node', engine.node],
    ['ONNX Runtime', engine.onnxruntime],
    ['Device', `${engine.device}, ${engine.threads} threads`],
    ['Processor', engine.cpu],
    ['Arithmetic beside it', engine.arithmetic],
    ['Platform', engine.platform],
    ['Run', html`<code>${run.id}</code>`],
    ['Begun', run.startedAt],
    ['Measured until', run.endedAt],
  ]
  return html`<h2>How to get this again</h2>
    <pre><code>${run.command}</code></pre>
    <div class="scroll" tabindex="0">
      <table>
        <tbody>
          ${facts.map(
            ([name, value]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${folded('The whole configuration', html`<pre><code>${JSON.stringify(run.config, null, 2) ?? ''}</code></pre>`)}`
}

interface Digest {
  readonly what: string
  readonly path: string
  readonly digest: string
  readonly bytes?: number
}

export function digestsSection({ subjects, benchmarks, artifacts }: Results): Markup {
  const rows: Digest[] = [
    ...subjects.flatMap((subject) =>
      (
        [
          ['weights', subject.weightsDigest],
          ['adapter', subject.adapterDigest],
          ['tokenizer', subject.tokenizerDigest],
          // What names classes has none.
          ['chat template', subject.classes ? null : subject.templateDigest],
        ] as const
      ).flatMap(([part, digest]) =>
        digest === null
          ? []
          : [{ what: `${stateName(subject)}: ${part}`, path: subject.path, digest }],
      ),
    ),
    ...benchmarks.map(({ title, name, digest }) => ({
      what: `${title}: prompts`,
      path: name,
      digest,
    })),
    ...artifacts.map(({ role, path, digest, bytes }) => ({ what: role, path, digest, bytes })),
  ]
  return html`<h2>Digests</h2>
    ${table(
      [
        { head: 'What', cell: (row) => row.what },
        { head: 'Where', cell: (row) => row.path },
        {
          head: 'Bytes',
          cell: (row) => row.bytes !== undefined && wholeNumber(row.bytes),
          kind: 'number',
        },
        { head: 'Digest', cell: (row) => html`<code>${row.digest}</code>` },
      ],
      rows,
    )}`
}
