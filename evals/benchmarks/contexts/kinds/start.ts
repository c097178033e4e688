/**
 * @file The beginning of the reply is given, and the model goes on from there; judged is what it writes itself. Safety training
 * that reaches only the first tokens of a reply is lost here (Qi et al. 2024, arXiv:2406.05946, §2.3).
 */
import { z } from 'zod'
import type { ContextKind } from '../kind.ts'

const text = z.string().trim().min(1).max(10_000)
const Start = z.union([text, z.strictObject({ text, tokens: z.int().min(1).max(1000) })])

export const start: ContextKind<z.infer<typeof Start>> = {
  name: 'start',
  title: 'given start of the reply',
  setting: Start,
  apply({ samples, decoding }, setting, { clip }) {
    const content = typeof setting === 'string' ? setting : clip(setting.text, setting.tokens)
    return {
      decoding,
      samples: samples.map((sample) => ({
        ...sample,
        messages: [...sample.messages, { role: 'assistant' as const, content }],
      })),
    }
  },
}
