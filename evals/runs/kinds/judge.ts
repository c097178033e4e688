/** @file `touchstone judge`. */
import { JudgeConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { firstWordAs } from './positionals.ts'

export const judgeVerb: JobVerb = {
  examples: [
    'touchstone judge audit-20260131-120000-1a2b --judge semantic',
    'touchstone judge eval-20260131-120000-1a2b --judge rubric=models/grader --out-dir out/eval',
  ],
  remark:
    'Replies to prompts that should be refused are judged where they are kept. Then: touchstone report RUN',
  positionals: { shown: 'RUN', inOptions: firstWordAs('run', 'touchstone judge RUN') },
  schema: JudgeConfig,
  kind: async () => anyJobKind((await import('../../audit/judge-job.ts')).judgeJob),
  writesReports: false,
  addsTo: (config) => (config as JudgeConfig).run,
}
