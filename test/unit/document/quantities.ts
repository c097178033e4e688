/** @file Quantities of a run as text: those of one output that another one writes otherwise. */
import type { Results } from '../../../evals/contract/results.ts'
import { Results as AsStored } from '../../../evals/contract/results.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { renderMarkdown } from '../../../evals/document/markdown.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { resultsText } from '../../../evals/document/results-text.ts'
import { verdictText } from '../../../evals/document/terminal.ts'
import { stringsOf } from './document-strings.ts'

/** Without marks, and without the style sheet, whose lengths are no quantities of a run. */
export const plainly = (text: string) =>
  text
    .replaceAll(/<style>[^]*?<\/style>/gu, ' ')
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll(/\\(?=[^\p{L}\p{N}\s])/gu, '')
    .replaceAll(/[\s\u00a0]+/gu, ' ')

/** Of the text as it is in memory, whose keys may stand in another order. */
const DIGEST = /(results\.json, SHA-256)[ 0-9a-f]+/u

/** The window's is of its sections, which a test in a browser holds its page to, and of the advice, which has a list of its own there. */
export const outputsOf = (results: Results) => ({
  report: plainly(renderReport(results)).replace(DIGEST, '$1'),
  window: [
    ...stringsOf(sectionsOf(results, 'window')),
    ...(results.gate?.advice ?? []).flatMap(({ what, cost }) => [what, cost]),
  ]
    .map(plainly)
    .join(' '),
  card: plainly(renderMarkdown(results)),
  terminal: plainly(verdictText(results, [])),
})

/** Measured numbers: with decimals, an exponent or a unit; counts and dates are none. */
const QUANTITY = /[+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+| %| points)|[+−]?\d[\d,]*\.\d+/gu
const quantitiesIn = (text: string) => new Set(text.match(QUANTITY))

/** What is in the first output has to be in the second, or a reader of both would meet two figures of one thing. */
const WITHIN = [
  ['window', 'report'],
  ['card', 'report'],
  ['card', 'window'],
  ['terminal', 'report'],
  ['terminal', 'window'],
] as const

export function strayQuantities(results: Results): string[] {
  const outputs = outputsOf(results)
  return WITHIN.flatMap(([name, other]) => {
    const all = quantitiesIn(outputs[other])
    return [...quantitiesIn(outputs[name])]
      .filter((each) => !all.has(each))
      .map((each) => `${each} of the ${name} is not in the ${other}`)
  })
}

/** The outputs whose text is another once results.json was written and read again. */
export function changedByStoring(results: Results): string[] {
  const stored = AsStored.parse(JSON.parse(resultsText(results)))
  const [before, after] = [outputsOf(results), outputsOf(stored)]
  return (['report', 'window', 'card', 'terminal'] as const).filter(
    (name) => before[name] !== after[name],
  )
}
