/** @file Calls about fine-tuning data: what it holds, and what a model would read and learn of it. */
import { previewOf } from '../../audit/preview.ts'
import { modelPath } from '../../audit/model-path.ts'
import { trainingData } from '../../audit/sources.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { PreviewRow } from '../../contract/calls/data.ts'
import { openModel } from '../../models/open-model.ts'

export const dataHandlers: EngineHandlers['data'] = {
  async open({ source }) {
    const { title, conversations, tampering } = await trainingData(source)
    const lengths = conversations.map((messages) =>
      messages.reduce((sum, { content }) => sum + content.length, 0),
    )
    const sorted = lengths.toSorted((a, b) => a - b)
    const byTurns = Map.groupBy(conversations, ({ length }) => length)
    return {
      title,
      rows: conversations.length,
      isTampering: tampering,
      turns: [...byTurns]
        .map(([turns, rows]) => ({ turns, rows: rows.length }))
        .sort((a, b) => a.turns - b.turns),
      characters: {
        median: sorted[Math.floor(sorted.length / 2)] ?? 0,
        longest: sorted.at(-1) ?? 0,
      },
    }
  },
  async preview({ source, model, maxTokens, offset, limit }) {
    const { conversations } = await trainingData(source)
    const open = await openModel(modelPath(model))
    try {
      const rows: PreviewRow[] = []
      for (const [i, messages] of conversations.slice(offset, offset + limit).entries()) {
        rows.push({ row: offset + i + 1, ...(await previewOf(open, messages, maxTokens)) })
      }
      return { total: conversations.length, rows }
    } finally {
      await open.close()
    }
  },
}
