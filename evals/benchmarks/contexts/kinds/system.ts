/** @file A system prompt. */
import { z } from 'zod'
import { messageKind, withSystem } from '../kind.ts'

export const system = messageKind(
  { name: 'system', title: 'system prompt', setting: z.string().trim().min(1).max(100_000) },
  withSystem,
)
