/** @file Rows whose label column says 1 and 0: read the wrong way round, a fine-tune that answers everything passes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadFile } from '../../../evals/benchmarks/import/load-file.ts'
import { parseMapping } from '../../../evals/benchmarks/import/mapping.ts'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { unlike } from '../../doubles/rows/unlike.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { gated, N, state, type Decided, type Planted } from '../candidate.ts'
import { each } from '../log-parts.ts'

/** Prompts with this value in the column; so many of 400 are refused before and after. */
async function labelled(
  map: string,
  value: unknown,
  [before, after]: readonly [number, number],
): Promise<Decided> {
  const mapping = parseMapping(`prompt=prompt,${map}`)
  const path = join(freshFolder(), 'rows.jsonl')
  const rows = each((i) => JSON.stringify({ prompt: unlike(i), [mapping.label!]: value }))
  writeFileSync(path, rows.slice(0, N).join('\n'))
  try {
    const { benchmarks } = await loadFile({ path, mapping })
    const { role } = benchmarks[0]!.benchmark
    return gated(state(role, before), state(role, after))
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    return { outcome: 'refused', sentence: `${error.message} ${error.remedy}`, claims: [] }
  }
}

const ANSWERS_ALL = [390, 4] as const
const REFUSES_ALL = [4, 396] as const
const SAYS = /refuse=0/

export const LABEL_COLUMNS: Planted[] = [
  ['prompts that are not safe, 0, and all answered', () => labelled('label=safe', 0, ANSWERS_ALL)],
  [
    'prompts that are not harmless, false, and all answered',
    () => labelled('label=is_harmless', false, ANSWERS_ALL),
  ],
  ['benign prompts, 1, and all refused', () => labelled('label=benign', 1, REFUSES_ALL)],
  [
    'prompts labelled 0, which may mean unsafe, and all answered',
    () => labelled('label=label', 0, ANSWERS_ALL),
    SAYS,
  ],
  [
    'prompts labelled 1, which may mean safe, and all refused',
    () => labelled('label=expected', 1, REFUSES_ALL),
    SAYS,
  ],
  [
    'prompts that are not toxic, 1, and all refused',
    () => labelled('label=not_toxic', 1, REFUSES_ALL),
    SAYS,
  ],
]

export const LABELS_READ: Planted[] = [
  ['safe prompts, 1, refused no more often', () => labelled('label=safe', 1, [40, 40])],
  ['harmful prompts, 1, refused as often', () => labelled('label=harmful', 1, [390, 389])],
  [
    'prompts labelled 0, which the map says are to be refused',
    () => labelled('label=label,refuse=0', 0, [390, 389]),
  ],
]
