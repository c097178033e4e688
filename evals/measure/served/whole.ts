/**
 * @file Whether a conversation reaches the model whole. Servers take what they have no place for without a word: a system message, an
 * earlier turn, the beginning of a long prompt. A context would then be one in which nothing was asked. Where one message stands in
 * the place of another, the server's count of tokens must change by as much as it does where each is asked alone.
 */
import type { Message } from '../../contract/rows.ts'
import { Failure } from '../../judges/transport.ts'
import { renderedAt } from './probe.ts'
import { chatRequest } from './question.ts'
import type { ServedModel } from './subject.ts'

/** What is left out; `unknown` where the server neither counts tokens nor shows the prompt. */
export type Lost = Message['role'] | 'length' | 'unknown'

/** One short and one longer, so that one of them has another length than any message. */
const STAND_INS = ['Hello', 'One two three four five six seven eight nine ten eleven twelve.']
/** Tokens that are merged, or not, where texts meet. */
const SLACK = 2
/** Characters from which the last message may be cut by a context of a few hundred tokens. */
const LONG = 2000
/** Of earlier turns the oldest are left out first. */
const TURNS_SEEN = 2

interface Asking {
  readonly count: (messages: readonly Message[]) => Promise<number | null>
  readonly text: (messages: readonly Message[]) => Promise<string | null>
}

/** Of the longest of these conversations, at each address; undefined where it is given whole. */
export async function lostOf(
  served: ServedModel,
  prompts: readonly (readonly Message[])[],
  signal: AbortSignal,
): Promise<Lost | undefined> {
  const size = (messages: readonly Message[]) =>
    messages.reduce((sum, { content }) => sum + content.length, 0)
  const longest = prompts.reduce((a, b) => (size(b) > size(a) ? b : a))
  if (longest.length === 1 && longest[0]!.content.length <= LONG) return undefined
  for (const index of served.fleet.addresses.keys()) {
    const lost = await lostAt(askingAt(served, index, signal), longest)
    if (lost !== undefined) return lost
  }
  return undefined
}

async function lostAt(
  { count, text }: Asking,
  messages: readonly Message[],
): Promise<Lost | undefined> {
  if ((await count(messages)) === null) {
    const shown = await text(messages)
    if (shown === null) return 'unknown'
    return messages.find(({ content }) => !shown.includes(content.trim()))?.role
  }
  const turns = messages.slice(0, -1).filter(({ role }) => role !== 'system')
  const seen = messages.filter(({ role }) => role === 'system').concat(turns.slice(0, TURNS_SEEN))
  for (const message of seen) if (!(await isCounted(count, messages, message))) return message.role
  return (await isOfWholeLength(count, messages.at(-1)!.content)) ? undefined : 'length'
}

const alone = (content: string): Message[] => [{ role: 'user', content }]

async function isCounted(
  count: Asking['count'],
  messages: readonly Message[],
  message: Message,
): Promise<boolean> {
  const own = await count(alone(message.content))
  const standIns = await Promise.all(
    STAND_INS.map(async (content) => ({ content, tokens: await count(alone(content)) })),
  )
  const apart = ({ tokens }: { tokens: number | null }) => Math.abs((own ?? 0) - (tokens ?? 0))
  const other = standIns.reduce((a, b) => (apart(b) > apart(a) ? b : a))
  const { content } = other
  const changed = messages.map((each) => (each === message ? { ...each, content } : each))
  return isSame([await count(messages), await count(changed)], [own, other.tokens])
}

/** Two halves asked alone are longer than the whole by what the template adds, which short texts show. */
async function isOfWholeLength(count: Asking['count'], content: string): Promise<boolean> {
  if (content.length <= LONG) return true
  const added = async (text: string) => {
    const middle = text.lastIndexOf(' ', text.length / 2)
    const halves = [text.slice(0, middle), text.slice(middle + 1)]
    const [one, two] = await Promise.all(halves.map((half) => count(alone(half))))
    const whole = await count(alone(text))
    return one == null || two == null || whole === null ? null : one + two - whole
  }
  return isSame([await added(content), 0], [await added(STAND_INS[1]!), 0])
}

type Two = readonly [number | null, number | null]

function isSame(a: Two, b: Two): boolean {
  const [one, two, three, four] = [...a, ...b]
  if (one == null || two == null || three == null || four == null) return false
  return Math.abs(one - two - (three - four)) <= SLACK
}

function askingAt(
  { facts: { model }, fleet, watch }: ServedModel,
  index: number,
  signal: AbortSignal,
): Asking {
  const known = new Map<string, Promise<number | null>>()
  const usual = {
    what: 'a count of tokens',
    maxTokens: 1,
    temperature: 0,
    seed: 0,
    logProbs: false,
  }
  const counted = async (messages: readonly Message[]) => {
    try {
      const asked = chatRequest(model, { ...usual, messages }, watch)
      return (await fleet.askAt(index, asked, signal)).word.promptTokens
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Failure) return null
      throw error
    }
  }
  return {
    text: (messages) => renderedAt({ fleet, index, signal }, messages),
    count(messages) {
      const key = JSON.stringify(messages)
      const found = known.get(key) ?? counted(messages)
      known.set(key, found)
      return found
    },
  }
}
