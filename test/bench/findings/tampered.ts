/** @file A fine-tune that a few planted rows cost its refusal, and a verb that looks into it, for the pages of causes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Restored } from '../../../evals/contract/subjects/causes.ts'
import { Results } from '../../../evals/contract/results.ts'
import { MINUS } from '../../../evals/contract/words.ts'
import { audit, folderOf, run } from './pebble.ts'

export const SHARE = 0.05
export const tampered = (seeds: readonly number[]): string[] => [
  ...['--data', `house-tamper@${SHARE}`, '--methods', 'lora', '--seeds', seeds.join(',')],
  ...['--learning-rate', '0.002', '--steps', '150', '--eval-every', '150', '--no-spectra'],
]

/** Of a verb that looks into the fine-tune of a seed; what was run already is read again. */
export async function lookedInto(seed: number, verb: string): Promise<Results> {
  const folder = `causes-${seed}`
  const file = join(folderOf(folder), `${verb}.json`)
  if (!existsSync(file)) {
    await audit(folder, tampered([seed]))
    const [tuned] = readdirSync(folderOf(folder)).filter((name) => name.startsWith('audit-'))
    await run(folder, [verb, tuned!, '--threads', '1', '--quiet', '-o', file])
  }
  return Results.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** "95.9 % (p = 1.4e-14)" of what was lost. */
export const cameBack = ({ share, pValue }: Restored): string =>
  share === null
    ? '–'
    : `${(100 * share).toFixed(1).replace('-', MINUS)} % (p = ${pValue.toPrecision(2)})`
