/** @file Calls about fine-tuning data: what it holds, and what a model would read and learn of it. */
import { modelPath, trainingData, type TrainingData } from '../../audit/sources.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { PreviewRow } from '../../contract/calls/data.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { maskedTokens } from '../../models/masked-tokens.ts'
import { openModel } from '../../models/open-model.ts'

type Conversation = TrainingData['conversations'][number]

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

async function previewOf(open: OpenModel, messages: Conversation, maxTokens: number) {
  const { ids, labelled } = await maskedTokens(open.template, open.tokenizer, messages)
  return {
    messages: messages.map(({ role, content }) => ({ role, content })),
    segments: await segmentsOf(open, messages, labelled),
    tokens: ids.length,
    learntTokens: labelled.slice(0, maxTokens).filter(Boolean).length,
    cutTokens: Math.max(0, ids.length - maxTokens),
  }
}

/** The rendered text in pieces. Each reply's piece begins where its rendering does, and ends with its last learnt token. */
async function segmentsOf(
  { template, tokenizer }: OpenModel,
  messages: Conversation,
  labelled: readonly boolean[],
): Promise<PreviewRow['segments']> {
  const render = (turns: Conversation, addGenerationPrompt: boolean) =>
    template.render(turns, { addGenerationPrompt })
  const full = await render(messages, false)
  const ends = labelled.flatMap((is, t) => (is && !labelled[t + 1] ? [t + 1] : []))
  const segments: PreviewRow['segments'] = []
  let at = 0
  const add = (to: number, isLearnt: boolean) => {
    if (to > at) segments.push({ text: full.slice(at, to), isLearnt })
    at = Math.max(at, to)
  }
  for (const [turn, { role }] of messages.entries()) {
    if (role !== 'assistant') continue
    const start = (await render(messages.slice(0, turn), true)).length
    let end = (await render(messages.slice(0, turn + 1), false)).length
    const tokens = ends.shift() ?? 0
    // What stands after a reply's end token, a line break say, is not learnt.
    while (end > start && tokenizer.encode(full.slice(0, end - 1)).length >= tokens) end--
    add(start, false)
    add(end, true)
  }
  add(full.length, false)
  return segments
}
