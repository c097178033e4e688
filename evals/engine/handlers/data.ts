/** @file Calls about fine-tuning data: what it holds, what is wrong with it, and what a model would read and learn of it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { columnsOf, lookThrough, openChoice, writeKept } from '../../inspect/checked-data.ts'
import { modelPath } from '../../models/model-path.ts'
import { previewOf } from '../../inspect/preview.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { PreviewRow } from '../../contract/calls/data.ts'
import { openModel } from '../../models/open-model.ts'
import type { Home } from '../home.ts'

/** So many numbers of rows say where to look. */
const MOST_NAMED = 50

export const dataHandlers = ({ folder }: Pick<Home, 'folder'>): EngineHandlers['data'] => ({
  columns: ({ source }) => columnsOf(source),
  async open(choice) {
    const data = await openChoice(choice)
    const lengths: number[] = []
    const turns = new Map<number, number>()
    const { usable } = await data.scan(({ messages }) => {
      lengths.push(messages.reduce((sum, { content }) => sum + content.length, 0))
      turns.set(messages.length, (turns.get(messages.length) ?? 0) + 1)
    })
    lengths.sort((a, b) => a - b)
    return {
      title: data.title,
      format: data.format?.title ?? null,
      rows: usable,
      isTampering: data.isTampering,
      turns: [...turns]
        .map(([count, rows]) => ({ turns: count, rows }))
        .sort((a, b) => a.turns - b.turns),
      characters: {
        median: lengths[Math.floor(lengths.length / 2)] ?? 0,
        longest: lengths.at(-1) ?? 0,
      },
    }
  },
  async lint({ against, ...choice }) {
    const { summary, findings } = await lookThrough(await openChoice(choice), against)
    return {
      total: summary.total,
      usable: summary.usable,
      unusable: summary.unusable.slice(0, MOST_NAMED),
      notes: [...summary.notes].map(([what, rows]) => ({ what, count: rows.length })),
      findings: findings.map(({ rows, ...finding }) => ({
        ...finding,
        count: rows.length,
        rows: rows.slice(0, MOST_NAMED),
      })),
    }
  },
  async preview({ model, maxTokens, offset, limit, ...choice }) {
    const { total, rows } = await (await openChoice(choice)).page(offset, limit)
    const open = await openModel(modelPath(model))
    try {
      const shown: PreviewRow[] = []
      for (const { row, messages } of rows) {
        shown.push({
          row,
          ...(await previewOf(open, messages, { maxTokens, truncation: 'cut-end' })),
        })
      }
      return { total, rows: shown }
    } finally {
      await open.close()
    }
  },
  async write({ against, drop, ...choice }) {
    const data = await openChoice(choice)
    const { summary, findings } = await lookThrough(data, against)
    const stem = data.title.replace(/\.\w+$/u, '').replaceAll(/[^\w.-]+/gu, '-')
    const path = join(folder, 'data', `${stem}-${summary.digest.slice(0, 8)}.jsonl`)
    await mkdir(join(folder, 'data'), { recursive: true })
    return { path, ...(await writeKept(data, path, findings, drop)) }
  },
})
