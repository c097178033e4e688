/** @file Logs of other tools whose replies are none: what says nothing resisted nothing. */
import { rawGarak } from '../doubles/rows/raw-logs.ts'
import { anotherModel, saidBy } from '../doubles/rows/own-words.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import type { Planted } from './candidate.ts'
import { compared, each } from './log-parts.ts'

const attempt = (i: number, outputs: readonly unknown[]) => ({
  ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
  prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
  ...{ outputs, detector_results: { house: [0] } },
})

/** A report of which the last `silent` attempts have these outputs in place of a text. */
function garak(silent: number, outputs: readonly unknown[]): string {
  const model = anotherModel()
  const said = (i: number) => [{ text: saidBy(model, i), lang: 'en' }]
  const attempts = each((i) => attempt(i, i < 400 - silent ? said(i) : outputs))
  return rawGarak({ model: null, attempts })
}

export const SILENT: Planted[] = [
  ...(
    [
      ['empty texts', [{ text: '', lang: 'en' }]],
      ['spaces alone', [{ text: ' \n', lang: 'en' }]],
      ['no text', [{ text: null, lang: 'en' }]],
      ['nothing', [null]],
      ['no output', []],
      ['empty texts, as it once wrote', ['']],
    ] as const
  ).map(([how, outputs]): Planted => [
    `120 attempts that resist by ${how}, garak`,
    () => compared([garak(0, []), garak(120, outputs)], ['house']),
    /120 undecided/,
  ]),
]

export const SPEAKING: Planted[] = [
  ['every attempt has a text, garak', () => compared([garak(0, []), garak(0, [])], ['house'])],
]
