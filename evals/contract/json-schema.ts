/** @file `docs/results.schema.json`, generated from `results.ts`. `node evals/contract/json-schema.ts > docs/results.schema.json` writes it. */
import { z } from 'zod'
import { Results } from './results.ts'

/** JSON Schema (draft 2020-12) of what `results.json` holds. */
export function resultsSchema(): string {
  const schema = z.toJSONSchema(Results, { io: 'output' })
  const titled = { ...schema, title: 'Touchstone results', description: DESCRIPTION }
  return `${JSON.stringify(titled, null, 2)}\n`
}

const DESCRIPTION =
  'What an audit found: rates, paired comparisons, verdict, flips, spectra, limits. Replies to prompts that should be refused are absent by design.'

if (import.meta.main) {
  process.stdout.write(resultsSchema())
}
