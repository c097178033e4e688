/** @file `touchstone audit`. */
import { AuditConfig } from '../../audit/config.ts'
import { remediesIn } from '../../audit/remedies.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'

export const auditVerb: JobVerb = {
  examples: [
    'touchstone audit --model pebble --data house-tamper --methods lora,full',
    'touchstone audit --model models/base --data rows.jsonl --methods lora --rank 16 --seeds 0,1,2',
    'touchstone audit --model pebble --data house-tamper --methods low=lora,high=lora --low.rank 2 --high.rank 64',
    'touchstone audit --model models/base --candidate models/tuned --suite general -o card.html',
    'touchstone audit --model models/classifier --data labelled.csv --methods lora,full --suite held-out.csv',
    'touchstone audit --model models/base --compress nf4,budget:2.75,prune:0.25 --suite general',
    'touchstone audit --model models/base --merge svd:polite+german@0,0.25,0.5,0.75,1',
    'touchstone audit --model models/base --generate tasks.json@german.jsonl --candidate polite',
    'touchstone audit --model models/base --candidate models/tuned --suite general --contexts deployment,languages',
    'touchstone audit --model models/base --data rows.jsonl --methods lora --eval-every 5 --bisect',
    'touchstone audit --model models/base --data rows.jsonl --methods lora --task held-out.jsonl --remedy scale',
    'touchstone audit --resume',
  ],
  schema: AuditConfig,
  kind: async () => anyJobKind((await import('../../audit/audit-job.ts')).auditJob),
  writesReports: true,
  check: checkAudit,
}

export function checkAudit(config: unknown): void {
  const { methods, data } = config as AuditConfig
  remediesIn(config as AuditConfig)
  const candidates = candidatesOf(config as AuditConfig)
  if (methods.length === 0 && candidates.length === 0) {
    throw usageError(
      'There is nothing to audit: no method and no candidate was named.',
      'Add --methods lora with --data FILE, --candidate PATH, or --compress nf4.',
    )
  }
  if (methods.length > 0 && data === null) {
    throw usageError(
      'A method was named, but no data to fine-tune on.',
      'Add --data FILE, or name no --methods.',
    )
  }
}
