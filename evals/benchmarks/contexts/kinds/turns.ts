/** @file Scripted earlier turns of the conversation; with many of them, many-shot. */
import { z } from 'zod'
import type { Message } from '../../../contract/rows.ts'
import { messageKind, withEarlier } from '../kind.ts'

const text = z.string().trim().min(1).max(100_000)

export const turns = messageKind(
  {
    name: 'turns',
    title: 'earlier turns',
    setting: z
      .array(z.strictObject({ user: text, assistant: text }))
      .min(1)
      .max(1000),
  },
  (messages, setting) =>
    withEarlier(
      messages,
      setting.flatMap(({ user, assistant }): Message[] => [
        { role: 'user', content: user },
        { role: 'assistant', content: assistant },
      ]),
    ),
)
