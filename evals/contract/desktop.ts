/**
 * @file What only a desktop can do, asked over the same transport: pick a file, say what it was opened with, show it, tell that a
 * job ended. The shell answers these itself. A path stays with the shell: the window gets a handle, which goes wherever a path goes.
 */
import { z } from 'zod'
import { call, Done, Nothing, PathText } from './call.ts'

export const PICKS = ['model', 'data', 'folder', 'file'] as const

/** `handle:` and 22 letters: nothing that a path could be taken for. */
export const HANDLE = /^handle:[\w-]{22}$/u

const Picked = z.object({ handle: z.string(), name: z.string() })

export const desktop = {
  pick: call(z.object({ kind: z.enum(PICKS) }), Picked.nullable()),
  /** What was dropped on the window, or named as the program was started, since this was last asked. */
  opened: call(Nothing, z.array(Picked)),
  /** Something that the engine named in an answer, or a handle. */
  reveal: call(z.object({ path: PathText }), Done),
  notify: call(z.object({ title: z.string().max(100), text: z.string().max(300) }), Done),
} as const
