/**
 * @file Runs one untrusted chat template in a thread that can be stopped. Posts `ready` once loaded, then answers each job
 * in order with `{ id, text }` or `{ id, why }`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import * as library from '@huggingface/jinja'

interface TemplateWorkerData {
  readonly source: string
  /** `bos_token`, `eos_token` and so on. */
  readonly specialTokens: Readonly<Record<string, string>>
}

export interface TemplateJob {
  readonly id: number
  /** Undefined: only parse the template. */
  readonly messages?: readonly { role: string; content: string }[]
  readonly addGenerationPrompt: boolean
}

export type TemplateAnswer =
  { readonly id: number; readonly text: string } | { readonly id: number; readonly why: string }

/** The package's own types cannot be resolved from an ECMAScript module (imports without extensions). */
interface Program {
  readonly type: 'Program'
}
interface Variables {
  set(name: string, value: unknown): unknown
}
interface Jinja {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown[]
  parse(tokens: unknown[]): Program
  readonly Environment: new () => Variables
  readonly Interpreter: new (variables: Variables) => { run(program: Program): { value: string } }
}
const jinja = library as unknown as Jinja

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

const { source, specialTokens } = workerData as TemplateWorkerData
let parsed: Program | undefined

function render(messages: TemplateJob['messages'], addGenerationPrompt: boolean): string {
  // The whitespace settings of transformers.
  parsed ??= jinja.parse(jinja.tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
  if (!messages) return ''
  const environment = new jinja.Environment()
  const variables = {
    ...GLOBALS,
    ...specialTokens,
    messages,
    add_generation_prompt: addGenerationPrompt,
  }
  for (const [name, value] of Object.entries(variables)) environment.set(name, value)
  return new jinja.Interpreter(environment).run(parsed).value
}

function answer({ id, messages, addGenerationPrompt }: TemplateJob): TemplateAnswer {
  try {
    const text = render(messages, addGenerationPrompt)
    if (text.length > LONGEST) return { id, why: `it wrote ${text.length} characters` }
    return { id, text }
  } catch (error) {
    return { id, why: (error instanceof Error ? error.message : String(error)).slice(0, 300) }
  }
}

parentPort?.on('message', (job: TemplateJob) => parentPort?.postMessage(answer(job)))
parentPort?.postMessage('ready')
