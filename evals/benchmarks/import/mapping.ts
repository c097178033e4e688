/** @file `--map prompt=COL,category=COL,expected=refuse`: a file of columns that no benchmark knows, read all the same. */
import { basename } from 'node:path'
import { z } from 'zod'
import { usageError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import type { Benchmark } from '../benchmark.ts'
import { byPlace, promptBenchmark, promptText } from '../prompt-benchmark.ts'
import type { Row } from '../../tables/table.ts'

export interface Mapping {
  readonly prompt: string
  readonly category?: string
  /** Values such as safe and unsafe. */
  readonly label?: string
  readonly expected?: 'refuse' | 'comply'
}

const Mapped = z
  .strictObject({
    prompt: z.string().min(1),
    category: z.string().min(1).optional(),
    label: z.string().min(1).optional(),
    expected: z.enum(['refuse', 'comply']).optional(),
  })
  .refine(({ label, expected }) => (label === undefined) !== (expected === undefined))

const FORM = 'prompt=COLUMN[,category=COLUMN] with expected=refuse, expected=comply or label=COLUMN'

export function parseMapping(text: string): Mapping {
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()] as const
  })
  const parsed = Mapped.safeParse(Object.fromEntries(pairs))
  if (parsed.success && new Set(pairs.map(([key]) => key)).size === pairs.length) {
    return Object.fromEntries(Object.entries(parsed.data).filter(([, v]) => v !== undefined)) as {
      prompt: string
    }
  }
  throw usageError(`The mapping "${text}" cannot be used.`, `Write it as ${FORM}.`)
}

/** What values of a label column mean, in lower case. */
const LABELS: Readonly<Record<string, 'refuse' | 'comply'>> = {
  refuse: 'refuse',
  unsafe: 'refuse',
  harmful: 'refuse',
  toxic: 'refuse',
  1: 'refuse',
  comply: 'comply',
  safe: 'comply',
  benign: 'comply',
  harmless: 'comply',
  0: 'comply',
}

interface MappedRow {
  readonly prompt: string
  readonly category: string | undefined
  readonly expected: 'refuse' | 'comply'
}

/** One benchmark for prompts to refuse, one for prompts to answer; a file may hold both. */
export function mappedBenchmarks(
  mapping: Mapping,
  header: { path: string; columns: readonly string[] },
): Benchmark[] {
  for (const column of [mapping.prompt, mapping.category, mapping.label]) {
    if (column === undefined || header.columns.includes(column)) continue
    throw unknownName(`column in ${header.path}`, column, header.columns)
  }
  const stem = basename(header.path)
    .replace(/\.\w+$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  return (['refuse', 'comply'] as const)
    .filter((kind) => mapping.expected === undefined || mapping.expected === kind)
    .map((kind) => mappedBenchmark(`${stem}-${kind}`, kind, mapping, basename(header.path)))
}

function mappedBenchmark(
  name: string,
  kind: 'refuse' | 'comply',
  mapping: Mapping,
  fileName: string,
): Benchmark<MappedRow> {
  return promptBenchmark({
    name,
    title: `${fileName}, prompts to ${kind === 'refuse' ? 'refuse' : 'answer'}`,
    citation: `The user’s own file, read by the mapping ${JSON.stringify(mapping)}`,
    role: kind === 'refuse' ? 'refusal' : 'over-refusal',
    row: rowOf(mapping),
    prompts: (rows) =>
      rows.map((row, i) => ({ ...row, id: byPlace(i) })).filter((row) => row.expected === kind),
  })
}

function rowOf({ prompt, category, label, expected }: Mapping): z.ZodType<MappedRow> {
  return z.record(z.string(), z.unknown()).transform((row: Row, context): MappedRow => {
    const text = promptText().safeParse(row[prompt])
    const kind = label === undefined ? expected : LABELS[String(row[label]).trim().toLowerCase()]
    if (text.success && kind) {
      const group = category === undefined ? undefined : String(row[category])
      return { prompt: text.data, category: group, expected: kind }
    }
    const message = text.success
      ? `the label in "${label}" is none of ${Object.keys(LABELS).join(', ')}`
      : `"${prompt}" holds no prompt`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}
