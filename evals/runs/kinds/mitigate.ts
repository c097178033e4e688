/** @file `touchstone mitigate`. */
import { isDeepStrictEqual } from 'node:util'
import { MitigateConfig } from '../../audit/config.ts'
import { remediesIn } from '../../audit/remedies.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { fieldsOf } from '../options/fields.ts'
import { firstWordAs } from './positionals.ts'

/** What can be asked of a run; everything else is as it was in that run. */
const ASKED_OF_A_RUN = [
  'run',
  'remedy',
  'keep-mended',
  'keep-weights',
  'task',
  'task-metric',
  'task-gain',
  'device',
  'threads',
  'eval-batch-size',
]

export const mitigateVerb: JobVerb = {
  remark:
    'Of a run, its fine-tunes are trained again. Each remedy’s value is chosen on one half of the prompts and judged on the other,\nbeside a control of its size. Without --remedy, every form of scaling intruders is measured at each λ. No weights are kept without --keep-mended.',
  examples: [
    'touchstone mitigate audit-20260131-120000-1a2b --remedy scale,early-stop,mix',
    'touchstone mitigate --model models/base --candidate models/adapter --task held-out.jsonl --remedy scale,reset',
    'touchstone mitigate audit-20260131-120000-1a2b --remedy leave-out --keep-mended',
    'touchstone mitigate --model models/base --candidate models/adapter',
    'touchstone mitigate --model pebble --candidate models/tuned --lambda 0,0.5 --limit 64',
  ],
  positionals: { shown: '[RUN]', inOptions: firstWordAs('run', 'touchstone mitigate RUN') },
  schema: MitigateConfig,
  kind: async () => anyJobKind((await import('../../audit/mitigate-job.ts')).mitigateJob),
  writesReports: true,
  addsTo: (config) => (config as MitigateConfig).run ?? undefined,
  check,
}

function check(given: unknown): void {
  const config = given as MitigateConfig
  const { run, model, candidates, remedy } = config
  if (run === null) {
    if (model === null || candidates.length === 0) {
      throw usageError(
        'There is no fine-tune to mitigate: --candidate is missing.',
        'Name a run, or a --model and --candidate PATH, once for each fine-tune.',
      )
    }
    return void remediesIn(config)
  }
  if (model !== null || candidates.length > 0) {
    throw usageError(
      `The fine-tunes of ${run} are trained again from its own settings, and a model or candidate is named beside it.`,
      'Name the run alone, or the model and its candidates.',
    )
  }
  refuseOthers(config, run)
  if (remedy.length > 0) return
  throw usageError(`No remedy of ${run} is named.`, 'Add --remedy scale,early-stop.')
}

function refuseOthers(config: MitigateConfig, run: string): void {
  const usual = MitigateConfig.parse({})
  const other = fieldsOf(MitigateConfig).find(({ flag, path: [key] }) => {
    const name = key as keyof MitigateConfig
    return !ASKED_OF_A_RUN.includes(flag) && !isDeepStrictEqual(config[name], usual[name])
  })
  if (!other) return
  throw usageError(
    `--${other.flag} cannot be given with a run: ${run} is measured as it was.`,
    `Leave --${other.flag} out, or run the audit again with it and with --remedy.`,
  )
}
