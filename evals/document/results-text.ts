/** @file `results.json` as it is written, and its digest: what a signature on the report rests on. */
import { sha256 } from '../files/digest.ts'
import type { Results } from '../contract/results.ts'

export const resultsText = (results: Results): string => `${JSON.stringify(results, null, 2)}\n`

export const resultsDigest = (results: Results): string => sha256(resultsText(results))
