/** @file Rows of a text and its label: classes for an encoder, prompt and reply for a causal model. */
import { conversationOf, textIn, type DataFormat } from '../format.ts'

const TEXTS = ['text', 'sentence']

export const labelledText: DataFormat = {
  name: 'labelled-text',
  title: 'Text and label',
  columns: [TEXTS, ['label']],
  convert(row) {
    const text = textIn(row, TEXTS)
    const { label } = row
    if (text === undefined) return { why: 'its text is no text' }
    const isLabel = ['string', 'number', 'boolean', 'bigint'].includes(typeof label)
    if (!isLabel || String(label).trim() === '')
      return { why: 'its label is neither text nor number' }
    return conversationOf([
      { role: 'user', content: text },
      { role: 'assistant', content: String(label) },
    ])
  },
}
