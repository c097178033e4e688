/** @file What `inspect` found at an address, in words. Names of strangers are made plain before they are shown. */
import type { Section } from '../../contract/document.ts'
import type { ServedFacts } from '../../contract/subjects/served.ts'
import { label, section, table } from '../blocks.ts'
import { terminalText } from '../terminal.ts'
import { abilitiesText, lacksText } from './abilities.ts'

type Fact = readonly [title: string, text: string]

const SEEDS = new Map([
  [true, 'the same seed gives the same reply'],
  [false, 'not kept'],
  [null, 'not told apart: another seed gave the same reply'],
])

export function servedFacts(address: string, facts: ServedFacts): Section[] {
  const { model, answersAs, fingerprint, capabilities: found, addresses } = facts
  const rows: Fact[] = [
    [
      'model',
      answersAs === null || answersAs === model ? model : `${model}, answers as ${answersAs}`,
    ],
    ['addresses', addresses.join(', ')],
    ['fingerprint', fingerprint ?? 'not said'],
    ['lists', found.models === null ? 'no models' : found.models.slice(0, 20).join(', ')],
    ['can', abilitiesText(found)],
    ['lacks', lacksText(found) || 'nothing that is asked for'],
    ['given text', found.givenLogProbs ?? 'its log-probabilities are not to be had'],
    ['seeds', SEEDS.get(found.seeds)!],
    [
      'template',
      found.template ? 'shown by the server' : 'not shown; known by its counts of tokens alone',
    ],
    ['context', found.contextLength === null ? 'not said' : `${found.contextLength} tokens`],
    ['thoughts', found.reasoning ?? 'none seen'],
  ]
  const columns = [label<Fact>('', ([title]) => title), label<Fact>('', ([, text]) => text)]
  return section(`${address}: a served model`, table(rows, columns))
}

export const servedText = (address: string, facts: ServedFacts): string =>
  terminalText(servedFacts(address, facts))
