/** @file Calls about fine-tuning data: what it holds, what is wrong with it, and what a model would read and learn of it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { columnsOf, findingsIn, keptLines, readChoice } from '../../audit/checked-data.ts'
import { modelPath } from '../../audit/model-path.ts'
import { previewOf } from '../../audit/preview.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { PreviewRow } from '../../contract/calls/data.ts'
import { TouchstoneError } from '../../errors.ts'
import { openModel } from '../../models/open-model.ts'
import { writeAtomically } from '../../models/safetensors-write.ts'
import type { Home } from '../home.ts'

/** So many numbers of rows say where to look. */
const MOST_NAMED = 50

export const dataHandlers = ({ folder }: Pick<Home, 'folder'>): EngineHandlers['data'] => ({
  columns: ({ source }) => columnsOf(source),
  async open(choice) {
    const { title, format, isTampering, rows } = await readChoice(choice)
    const lengths = rows.map(({ messages }) =>
      messages.reduce((sum, { content }) => sum + content.length, 0),
    )
    const sorted = lengths.toSorted((a, b) => a - b)
    const byTurns = Map.groupBy(rows, ({ messages }) => messages.length)
    return {
      ...{ title, format: format?.title ?? null, rows: rows.length, isTampering },
      turns: [...byTurns]
        .map(([turns, found]) => ({ turns, rows: found.length }))
        .sort((a, b) => a.turns - b.turns),
      characters: {
        median: sorted[Math.floor(sorted.length / 2)] ?? 0,
        longest: sorted.at(-1) ?? 0,
      },
    }
  },
  async lint({ against, ...choice }) {
    const read = await readChoice(choice)
    const findings = await findingsIn(read, against)
    return {
      total: read.total,
      usable: read.rows.length,
      unusable: read.unusable.slice(0, MOST_NAMED),
      notes: [...read.notes].map(([what, rows]) => ({ what, count: rows.length })),
      findings: findings.map(({ rows, ...finding }) => ({
        ...{ ...finding, count: rows.length },
        rows: rows.slice(0, MOST_NAMED),
      })),
    }
  },
  async preview({ model, maxTokens, offset, limit, ...choice }) {
    const { rows } = await readChoice(choice)
    const open = await openModel(modelPath(model))
    try {
      const shown: PreviewRow[] = []
      for (const { row, messages } of rows.slice(offset, offset + limit)) {
        shown.push({ row, ...(await previewOf(open, messages, maxTokens)) })
      }
      return { total: rows.length, rows: shown }
    } finally {
      await open.close()
    }
  },
  async write({ against, drop, ...choice }) {
    const read = await readChoice(choice)
    if (!read.format) {
      // A copy would no longer be known for what it is: weights learnt from the tampering set are deleted.
      const problem = `${read.title} is no file of yours.`
      throw new TouchstoneError('usage.invalid', { problem, remedy: 'Learn from it by its name.' })
    }
    const { lines, dropped } = keptLines(read, await findingsIn(read, against), drop)
    const stem = read.title.replace(/\.\w+$/u, '').replaceAll(/[^\w.-]+/gu, '-')
    const path = join(folder, 'data', `${stem}-${read.digest.slice(0, 8)}.jsonl`)
    await mkdir(join(folder, 'data'), { recursive: true })
    await writeAtomically(path, lines)
    return { path, rows: lines.length, dropped }
  },
})
