/** @file A grading model at an OpenAI-compatible address that the user names: `POST URL/chat/completions`. */
import type { Message } from '../contract/rows.ts'
import type { Grader, NoAnswer } from './model-judge.ts'
import { exchange, Failure, openLine, patiently, type Line } from './transport.ts'

export interface Endpoint {
  /** Up to and with `/v1`. */
  readonly url: URL
  readonly model: string
  /** Sent as a bearer token; never stored or printed. */
  readonly key?: string | undefined
}

export interface Patience {
  /** Time limit of one request. */
  readonly timeoutMs: number
  /** Waiting times before each retry; no retry if empty. */
  readonly pausesMs: readonly number[]
  /** After so many consecutive failures no further request is sent. */
  readonly failures: number
}

const PATIENCE: Patience = { timeoutMs: 120_000, pausesMs: [500, 3000], failures: 8 }
const LONGEST_ANSWER = 2 ** 20
/** Concurrent requests. */
const AT_ONCE = 4
/** Characters per token of English, because the server's tokenizer is not known. */
const LETTERS_PER_TOKEN = 4

interface EndpointGrader extends Grader {
  /** Asks one harmless question; returns why it failed, or undefined. */
  tryOut(signal: AbortSignal): Promise<string | undefined>
  close(): void
}

export function endpointGrader(endpoint: Endpoint, patience: Patience = PATIENCE): EndpointGrader {
  const { url, key, model } = endpoint
  const line = openLine({ url, key, who: 'The judge’s address', maxSockets: AT_ONCE })
  let failed = 0
  const ask = async (messages: readonly Message[], maxTokens: number, signal: AbortSignal) => {
    if (failed >= patience.failures) return GIVEN_UP
    const answer = await askPatiently({ line, model, patience }, messages, maxTokens, signal)
    failed = typeof answer === 'string' ? 0 : failed + 1
    return answer
  }
  return {
    async complete(items, maxNewTokens, signal) {
      const answers = new Array<string | NoAnswer>(items.length)
      let next = 0
      const worker = async () => {
        for (let i = next++; i < items.length; i = next++)
          answers[i] = await ask(messagesOf(items[i]!.before), maxNewTokens, signal)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      return answers
    },
    clip: (text, tokens) => [...text].slice(0, tokens * LETTERS_PER_TOKEN).join(''),
    fits: async () => true,
    async tryOut(signal) {
      const question: Message = { role: 'user', content: 'Answer with the word yes.' }
      const once = { ...patience, pausesMs: [] }
      const answer = await askPatiently({ line, model, patience: once }, [question], 4, signal)
      return typeof answer === 'string' ? undefined : answer.failed
    },
    close: () => line.agent.destroy(),
  }
}

const GIVEN_UP: NoAnswer = {
  failed: 'The judge’s address failed many times in a row and was not asked any more.',
}

const messagesOf = (before: string | readonly Message[]): readonly Message[] =>
  typeof before === 'string' ? [{ role: 'user', content: before }] : before

interface Asking {
  readonly line: Line
  readonly model: string
  readonly patience: Patience
}

/** Only what the address did wrong is an answer; a stopped job throws. */
async function askPatiently(
  { line, model, patience: { timeoutMs, pausesMs } }: Asking,
  messages: readonly Message[],
  maxTokens: number,
  signal: AbortSignal,
): Promise<string | NoAnswer> {
  const body = { model, messages, max_tokens: maxTokens, temperature: 0, seed: 0, stream: false }
  const asked = { path: '/chat/completions', body, timeoutMs, maxBytes: LONGEST_ANSWER, signal }
  try {
    return await patiently(pausesMs, signal, async () => answerOf(await exchange(line, asked)))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) return { failed: error.message }
    throw error
  }
}

interface ChatCompletion {
  readonly choices?: readonly { readonly message?: { readonly content?: unknown } | null }[]
}

function answerOf(bytes: Buffer): string {
  let text: unknown
  try {
    const { choices } = JSON.parse(bytes.toString('utf8')) as ChatCompletion
    text = choices?.[0]?.message?.content
  } catch {
    text = undefined
  }
  if (typeof text === 'string') return text
  throw new Failure('The judge’s address answered with something other than a chat completion.')
}
