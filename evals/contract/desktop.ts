/**
 * @file What only a desktop can do, asked over the same transport: pick a file, show it, tell that a job ended. The shell answers
 * these itself. A picked path stays with the shell: the window gets a handle, which goes wherever a path goes.
 */
import { z } from 'zod'
import { call, Done, PathText } from './call.ts'

export const PICKS = ['model', 'data', 'folder'] as const

/** `handle:` and 22 letters: nothing that a path could be taken for. */
export const HANDLE = /^handle:[\w-]{22}$/u

export const desktop = {
  pick: call(
    z.object({ kind: z.enum(PICKS) }),
    z.object({ handle: z.string(), name: z.string() }).nullable(),
  ),
  /** Something that the engine named in an answer, or a handle. */
  reveal: call(z.object({ path: PathText }), Done),
  notify: call(z.object({ title: z.string().max(100), text: z.string().max(300) }), Done),
} as const
