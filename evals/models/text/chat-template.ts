/** @file Chat templates: untrusted Jinja, rendered in a worker with a time and a memory limit. */
import { Worker } from 'node:worker_threads'
import { scriptBeside } from '../../files/script-beside.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import type { TemplateVariables } from './template-variables.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { ChatTemplate } from '../checkpoint.ts'
import { sha256 } from '../../files/digest.ts'
import type { TemplateAnswer, TemplateJob } from './template-worker.ts'
import { hasReplyMarks } from './jinja/marks.ts'
import { markersIn, thoughtAtEnd, type Thinking, type ThoughtMarkers } from './thoughts.ts'

export interface TemplateSource {
  /** Shown in errors. */
  readonly path: string
  readonly text: string
  readonly source: string
  readonly specialTokens: Readonly<Record<string, string>>
  /** The user's, beside those that transformers gives. */
  readonly variables?: TemplateVariables
  /** Of the model's family; those that the template writes if absent. */
  readonly thoughtMarkers?: ThoughtMarkers | undefined
}

/** CPU time of the thread per rendering. Wall time would fail innocent templates beside a training run. */
const DEADLINE_MS = 2000
/** Wall time, for a thread that neither starts nor computes. */
const PATIENCE_MS = 120_000
const MEMORY_MB = 128
const LONGEST_TEMPLATE = 2 ** 20

export type ClosableTemplate = ChatTemplate & { close(): Promise<void> }
type Messages = Parameters<ChatTemplate['render']>[0]
interface Pending {
  readonly resolve: (text: string) => void
  readonly reject: (error: unknown) => void
}

/** Parses the template before it returns, so that a broken one is refused together with the model. */
export async function openChatTemplate(
  source: TemplateSource,
  deadlineMs = DEADLINE_MS,
): Promise<ClosableTemplate> {
  const fail = (why: string) =>
    new TouchstoneError('template.failed', { path: `${source.path} (${source.source})`, why })
  if (source.text.length > LONGEST_TEMPLATE) {
    throw fail(`it has ${source.text.length} characters; at most ${LONGEST_TEMPLATE} are read`)
  }
  let thread = startThread(source, deadlineMs, fail)
  const ask = (job: Omit<TemplateJob, 'id'>): Promise<string> => {
    // Replaces a stopped thread: the next conversation may be harmless.
    if (thread.stopped()) thread = startThread(source, deadlineMs, fail)
    return thread.ask(job)
  }
  const close = () => thread.stop(fail('the model was closed'))
  await ask({ addGenerationPrompt: false }).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const { variables = {} } = source
  const render: ChatTemplate['render'] = (messages, options) =>
    ask({ messages: plain(messages), ...options })
  const thinking = await thinkingOf(source, render)
  return {
    digest: sha256(identityOf(source.text, variables)),
    source: source.source,
    variables,
    marksReplies: hasReplyMarks(source.text),
    ...(thinking && { thinking }),
    render,
    close,
  }
}

/** The text alone where no variable is given. */
const identityOf = (text: string, variables: TemplateVariables): string =>
  Object.keys(variables).length === 0 ? text : `${text}\u0000${canonicalJson(variables)}`

const GREETING = [{ role: 'user', content: 'Hello' }]

/** Undefined for a template without thoughts. One that does not render a greeting is told when it is used. */
async function thinkingOf(
  { text, thoughtMarkers = markersIn(text) }: TemplateSource,
  render: ChatTemplate['render'],
): Promise<Thinking | undefined> {
  if (!thoughtMarkers) return undefined
  const rendered = await render(GREETING, { addGenerationPrompt: true }).catch(() => '')
  const isOff = thoughtAtEnd(rendered, thoughtMarkers, rendered.lastIndexOf('Hello')) === 'closed'
  return { markers: thoughtMarkers, mode: isOff ? 'off' : 'on' }
}

/** Renders many conversations in order. All are posted at once, so that thousands cost little more than their Jinja. */
export function renderAll(
  template: ChatTemplate,
  conversations: readonly Messages[],
  options: { addGenerationPrompt: boolean },
): Promise<string[]> {
  return Promise.all(conversations.map((messages) => template.render(messages, options)))
}

/** Only what the template may see is posted to the thread. */
const plain = (messages: Messages) => messages.map(({ role, content }) => ({ role, content }))

function startThread(
  { text, specialTokens, variables = {} }: TemplateSource,
  deadlineMs: number,
  fail: (why: string) => TouchstoneError,
) {
  const worker = new Worker(scriptBeside(import.meta.filename, 'template-worker'), {
    workerData: { source: text, specialTokens, variables },
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 },
  })
  const pending = new Map<number, Pending>()
  let [nextId, answered, stopped] = [0, 0, false]

  const stop = async (error: TouchstoneError) => {
    stopped = true
    watchdog.rest()
    const abandoned = [...pending.values()]
    pending.clear()
    for (const { reject } of abandoned) reject(error)
    await worker.terminate()
  }
  const watchdog = createWatchdog(worker, deadlineMs, {
    answered: () => answered,
    onLate: (why) => void stop(fail(why)),
  })

  worker.unref()
  worker.on('message', (reply: TemplateAnswer | 'ready') => {
    answered++
    // Whoever waits for the thread to end must not lose the process: a late answer would let it end without a word.
    if (reply === 'ready' || stopped) return
    const waiting = pending.get(reply.id)
    pending.delete(reply.id)
    if ('text' in reply) waiting?.resolve(reply.text)
    else waiting?.reject(fail(reply.why))
    if (pending.size > 0) return
    watchdog.rest()
    worker.unref()
  })
  worker.on('error', (error: NodeJS.ErrnoException) => {
    void stop(answered === 0 ? notBegun(error) : fail(whyEnded(error)))
  })
  worker.on('exit', () => {
    if (!stopped) void stop(fail('its thread ended'))
  })

  return {
    stop,
    stopped: () => stopped,
    ask(job: Omit<TemplateJob, 'id'>): Promise<string> {
      const id = nextId++
      const answer = new Promise<string>((resolve, reject) => pending.set(id, { resolve, reject }))
      worker.ref()
      worker.postMessage({ ...job, id } satisfies TemplateJob)
      if (pending.size === 1) watchdog.watch()
      return answer
    },
  }
}

/** A thread that could not begin is the machine's fault: it has not seen the template. */
const notBegun = ({ code = 'no thread', message }: NodeJS.ErrnoException) =>
  new TouchstoneError('system.refused', {
    path: 'A thread for the chat template',
    code,
    why: message,
  })

const whyEnded = ({ code, message }: NodeJS.ErrnoException) =>
  code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${MEMORY_MB} MB` : message

/** Checks once per deadline whether there was an answer, and how much CPU time the thread has used since. */
function createWatchdog(
  worker: Worker,
  deadlineMs: number,
  { answered, onLate }: { answered: () => number; onLate: (why: string) => void },
) {
  let timer: NodeJS.Timeout | undefined
  let since: { answers: number; clock: number; processor: number }
  const look = async (round: NodeJS.Timeout | undefined) => {
    const { user, system } = await worker.cpuUsage()
    // All answers may have arrived during the await.
    if (round !== timer) return
    const now = { answers: answered(), clock: Date.now(), processor: (user + system) / 1000 }
    // Loading counts as an answer, so that no conversation is charged for it.
    if (now.answers !== since.answers) since = now
    else if (now.answers === 0) since.processor = now.processor
    const computed = now.processor - since.processor
    const why = whyLate(computed, now.clock - since.clock, deadlineMs)
    if (why === undefined) again(Math.max(20, deadlineMs - computed))
    else onLate(why)
  }
  const again = (delay: number) => {
    clearTimeout(timer)
    // A thread that has just ended throws here; `exit` reports it.
    const round: NodeJS.Timeout = setTimeout(() => void look(round).catch(() => undefined), delay)
    timer = round
  }
  return {
    watch() {
      since = { answers: -1, clock: Date.now(), processor: 0 }
      again(deadlineMs)
    },
    rest() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

function whyLate(computedMs: number, waitedMs: number, deadlineMs: number): string | undefined {
  if (computedMs >= deadlineMs)
    return `one conversation took longer than ${(deadlineMs / 1000).toFixed(1)} s`
  return waitedMs >= PATIENCE_MS ? `there was no answer for ${PATIENCE_MS / 1000} s` : undefined
}
