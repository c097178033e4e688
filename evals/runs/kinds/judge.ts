/** @file `touchstone judge`. */
import { JudgeConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import { readArguments } from '../options/arguments.ts'
import type { JobVerb } from './job-verb.ts'
import { saidAlso, wordsOf } from './spectral.ts'

export const judgeVerb: JobVerb = {
  examples: [
    'touchstone judge audit-20260131-120000-1a2b --judge semantic',
    'touchstone judge eval-20260131-120000-1a2b --judge rubric=models/grader --out-dir out/eval',
  ],
  remark:
    'Replies to prompts that should be refused are judged where they are kept. Then: touchstone report RUN',
  positionals: { shown: 'RUN', inOptions },
  schema: JudgeConfig,
  kind: async () => anyJobKind((await import('../../audit/judge-job.ts')).judgeJob),
  writesReports: false,
  addsTo: (config) => (config as JudgeConfig).run,
}

/** `judge RUN` is `--run RUN`. */
async function inOptions(
  argv: readonly string[],
  fields: Parameters<typeof readArguments>[1],
): Promise<readonly string[]> {
  const { given, positionals } = readArguments(argv, fields)
  const [run, ...rest] = positionals
  if (run === undefined) return Promise.resolve(argv)
  if (given.has('run')) throw saidAlso(run, 'run', 'touchstone judge RUN')
  return Promise.resolve([`--run=${run}`, ...rest, ...wordsOf(given)])
}
