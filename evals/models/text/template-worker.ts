/**
 * @file Runs one untrusted chat template in a thread that can be stopped. Posts `ready` once loaded, then answers each job
 * in order with `{ id, text }` or `{ id, why }`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { parseTemplate, renderTemplate } from './jinja/interpreter.ts'

interface TemplateWorkerData {
  readonly source: string
  /** `bos_token`, `eos_token` and so on. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** The user's. */
  readonly variables: Readonly<Record<string, unknown>>
}

export interface TemplateJob {
  readonly id: number
  /** Undefined: only parse the template. */
  readonly messages?: readonly { role: string; content: string }[]
  readonly addGenerationPrompt: boolean
  /** Write `REPLY_MARKS` around what the template marks as a reply. */
  readonly marksReplies?: boolean
}

export type TemplateAnswer =
  { readonly id: number; readonly text: string } | { readonly id: number; readonly why: string }

/** Beyond any context window. */
const LONGEST = 16 * 2 ** 20

/**
 * The date for templates that print one, as in Llama's templates: a current date would make two audits of the same model
 * differ.
 */
const FIXED_DATE = new Date(Date.UTC(2024, 6, 26))

const DATE_PARTS: Readonly<Record<string, (date: Date) => string>> = {
  '%Y': (date) => String(date.getUTCFullYear()),
  '%m': (date) => String(date.getUTCMonth() + 1).padStart(2, '0'),
  '%d': (date) => String(date.getUTCDate()).padStart(2, '0'),
  '%b': (date) => date.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' }),
  '%B': (date) => date.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' }),
  '%a': (date) => date.toLocaleString('en-US', { weekday: 'short', timeZone: 'UTC' }),
  '%A': (date) => date.toLocaleString('en-US', { weekday: 'long', timeZone: 'UTC' }),
  '%H': () => '00',
  '%M': () => '00',
  '%S': () => '00',
  '%%': () => '%',
}

const strftimeNow = (format: string): string =>
  format.replace(/%./gu, (part) => DATE_PARTS[part]?.(FIXED_DATE) ?? part)

/** Longest result of Python's `range`. */
const LONGEST_RANGE = 100_000

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const length = Math.max(0, Math.ceil((to - from) / step))
  if (!(length <= LONGEST_RANGE)) throw new Error(`range() of ${length} numbers`)
  return Array.from({ length }, (_, index) => from + index * step)
}

/** The globals of transformers: `raise_exception`, `strftime_now` and Python's names for true, false and none. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  tools: null,
  documents: null,
  range,
  strftime_now: strftimeNow,
  raise_exception(message: unknown) {
    throw new Error(String(message))
  },
}

const { source, specialTokens, variables: given } = workerData as TemplateWorkerData
let parsed: ReturnType<typeof parseTemplate> | undefined

function render({ messages, addGenerationPrompt, marksReplies = false }: Omit<TemplateJob, 'id'>) {
  parsed ??= parseTemplate(source)
  if (!messages) return ''
  return renderTemplate(parsed, {
    ...GLOBALS,
    ...specialTokens,
    ...given,
    messages,
    add_generation_prompt: addGenerationPrompt,
    marks_replies: marksReplies,
  })
}

function answer({ id, ...job }: TemplateJob): TemplateAnswer {
  try {
    const text = render(job)
    if (text.length > LONGEST) return { id, why: `it wrote ${text.length} characters` }
    return { id, text }
  } catch (error) {
    return { id, why: (error instanceof Error ? error.message : String(error)).slice(0, 300) }
  }
}

parentPort?.on('message', (job: TemplateJob) => parentPort?.postMessage(answer(job)))
parentPort?.postMessage('ready')
