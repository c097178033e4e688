/** @file `touchstone eval`. */
import { EvalConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'

export const evaluateVerb: JobVerb = {
  examples: [
    'touchstone eval --model pebble',
    'touchstone eval --model models/base --candidate models/adapter --candidate models/merged',
    'touchstone eval --model models/tuned.gguf --base-precision blocks --cache-precision int8',
    'touchstone eval --model pebble --contexts assistant,lower-case',
    'touchstone eval --model models/classifier --suite labelled.csv',
  ],
  schema: EvalConfig,
  kind: async () => anyJobKind((await import('../../audit/eval-job.ts')).evalJob),
  writesReports: true,
}
