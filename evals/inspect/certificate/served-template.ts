/**
 * @file Whether a server gives its model the prompt that was measured, from how many tokens it says it made of conversations: the
 * difference from ours, d, is 0 for each of them where the template is the same. One token more on every conversation is a doubled
 * beginning of sequence; the same many more on short and long ones a system prompt; anything else another template.
 */
import type { Message } from '../../contract/rows.ts'
import { renderPrompt } from '../../inference/prompt.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import type { Fault } from './text-faults.ts'

type Text = Pick<OpenModel, 'tokenizer' | 'template'>

export interface Counted {
  readonly messages: readonly Message[]
  /** By the server's word. */
  readonly tokens: number | null
}

const ask = (content: string): Message => ({ role: 'user', content })
const say = (content: string): Message => ({ role: 'assistant', content })

/** Of one turn, of two and of three: what a template writes around each shows in their differences. */
export const TURNS: readonly (readonly Message[])[] = [
  [ask('When is breakfast?')],
  [ask('When is breakfast?'), say('At seven.'), ask('And dinner?')],
  [ask('When is breakfast?'), say('At seven.'), ask('And dinner?'), say('At six.'), ask('Where?')],
]

/** Null where the server counts no tokens. */
export async function servedTemplateFault(
  open: Text,
  turns: readonly Counted[],
  prompts: readonly Counted[],
): Promise<Fault | 'same' | null> {
  const ofTurns = await differences(open, turns)
  const ofPrompts = await differences(open, prompts)
  if (!ofTurns || !ofPrompts) return null
  const all = [...ofTurns, ...ofPrompts]
  const [first = 0] = all
  if (all.every((d) => d === 0)) return 'same'
  const isConstant = all.every((d) => d === first)
  if (isConstant && Math.abs(first) === 1) return startFault(open, first)
  if (isConstant && first > 1) {
    const what = `every conversation, short or long, has ${first} tokens more than was measured: a system prompt of the server’s own`
    return { kind: 'system-prompt', what }
  }
  const odd = all.filter((d) => d !== 0).length
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const what = `${odd} of ${all.length} conversations become another number of tokens (${signed(low)} to ${signed(high)}): another chat template or tokenizer`
  return { kind: 'template', what }
}

const signed = (n: number) => (n > 0 ? `+${n}` : String(n).replace('-', '−'))

function startFault({ tokenizer }: Text, d: number): Fault {
  const start = tokenizer.startId
  const name = start === undefined ? 'a token' : `the beginning of sequence (token ${start})`
  return d > 0
    ? {
        kind: 'doubled-start',
        what: `every conversation has one token more than was measured: ${name}, written by the template and added again`,
      }
    : {
        kind: 'missing-start',
        what: `every conversation has one token less than was measured: ${name} is not there`,
      }
}

async function differences(open: Text, counted: readonly Counted[]): Promise<number[] | undefined> {
  const all: number[] = []
  for (const { messages, tokens } of counted) {
    if (tokens === null) return undefined
    const { text } = await renderPrompt(open, messages)
    all.push(tokens - open.tokenizer.encode(text).length)
  }
  return all
}
