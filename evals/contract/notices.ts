/** @file Events as log lines for people. No code reads these sentences. */
import type { EventType, JobEventBody } from './events.ts'
import { counted, listed } from './words.ts'

export interface Notice {
  readonly level: (JobEventBody & { type: 'log' })['level']
  readonly message: string
}

type NoticeOf = {
  readonly [T in EventType]?: (event: JobEventBody & { type: T }) => Notice | undefined
}

const warning = (message: string): Notice => ({ level: 'warn', message })
const armText = ({ arm, seed }: { readonly arm: string; readonly seed: number }) =>
  `${arm}, seed ${seed}`

const NOTICES = {
  log: ({ level, message }) => ({ level, message }),
  'weights-kept': ({ subject, reasonToDelete, reasonToKeep }) =>
    reasonToDelete === null
      ? undefined
      : warning(
          `The weights of ${armText(subject)} were kept although ${reasonToDelete}. Reason given: ${reasonToKeep}`,
        ),
  'weights-deleted': ({ subject, reason }) => ({
    level: 'info',
    message: `The weights of ${armText(subject)} were deleted after measuring: ${reason}. Their digest and curves stay.`,
  }),
  'weights-handed-out': ({ reasonToDelete, reason }) =>
    warning(
      `Weights that should have been deleted${reasonToDelete === null ? '' : ` (${reasonToDelete})`} were handed out. Reason given: ${reason}`,
    ),
  unblinded: ({ reason }) => warning(`Unblinded: ${reason}`),
  'case-made': ({ number, manifest }) => ({
    level: 'info',
    message: `Case ${number} of this run was made; the SHA-256 of its manifest is ${manifest}.`,
  }),
  'evaluation-end': ({ benchmark, origin }) =>
    origin?.from !== 'cache'
      ? undefined
      : {
          level: 'info',
          message: `base: of ${benchmark} ${counted(origin.kept, 'answer')} of ${origin.runs.length === 1 ? 'run' : 'runs'} ${listed(origin.runs)} ${origin.kept === 1 ? 'was' : 'were'} not asked for again; ${origin.checked} that were are the same. --ask-again asks for all.`,
        },
  override: ({ fields, against }) =>
    warning(
      `Compared with ${against} although they differ in ${listed(fields)} (allowed by name).`,
    ),
} satisfies NoticeOf

/** The types of event that `noticeOf` gives a line for. */
export const NOTICE_TYPES = Object.keys(NOTICES) as (keyof typeof NOTICES)[]

/** The log line of an event; undefined for an event without one. */
export function noticeOf(event: JobEventBody): Notice | undefined {
  const notices: NoticeOf = NOTICES
  return (notices[event.type] as ((event: JobEventBody) => Notice | undefined) | undefined)?.(event)
}
