/** @file Calls about fine-tuning data: size and form, faults, the tokens that a model reads and learns from, a cleaned copy. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { columnsOf, lookThrough, openChoice, writeKept } from '../../inspect/checked-data.ts'
import { modelPath } from '../../models/model-path.ts'
import { previewOf } from '../../inspect/preview.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { PreviewRow } from '../../contract/calls/data.ts'
import { openModel } from '../../models/open-model.ts'
import type { Home } from '../home.ts'

type Handlers = EngineHandlers['data']

/** Row numbers named for each finding. */
const MOST_NAMED = 50

export const dataHandlers = ({ folder }: Pick<Home, 'folder'>): Handlers => ({
  columns: ({ source }) => columnsOf(source),
  open,
  lint,
  preview,
  async write({ against, drop, ...choice }) {
    const data = await openChoice(choice)
    const { summary, findings } = await lookThrough(data, against)
    const stem = data.title.replace(/\.\w+$/u, '').replaceAll(/[^\w.-]+/gu, '-')
    const path = join(folder, 'data', `${stem}-${summary.digest.slice(0, 8)}.jsonl`)
    await mkdir(join(folder, 'data'), { recursive: true })
    return { path, ...(await writeKept(data, path, findings, drop)) }
  },
})

const open: Handlers['open'] = async (choice) => {
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
}

const lint: Handlers['lint'] = async ({ against, ...choice }) => {
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
}

const preview: Handlers['preview'] = async ({ model, maxTokens, offset, limit, ...choice }) => {
  const { total, rows } = await (await openChoice(choice)).page(offset, limit)
  const opened = await openModel(modelPath(model))
  try {
    const shown: PreviewRow[] = []
    for (const { row, messages } of rows) {
      const text = await previewOf(opened, messages, { maxTokens, truncation: 'cut-end' })
      shown.push({ row, ...text })
    }
    return { total, rows: shown }
  } finally {
    await opened.close()
  }
}
