/** @file Log-probabilities of given text, where a server gives them: OpenAI's `echo`, or vLLM's `prompt_logprobs`. */
import type { Capabilities } from '../../contract/subjects/served.ts'
import { Failure } from '../../judges/transport.ts'
import { readReply, type ServedReply } from './completion.ts'
import type { Asked } from './fleet.ts'

export type Way = NonNullable<Capabilities['givenLogProbs']>

interface Piece {
  readonly text: string
  /** Null for the first token, which nothing comes before. */
  readonly logProb: number | null
}

export type Pieces = readonly Piece[]

const BODIES: Readonly<Record<Way, object>> = {
  echo: { echo: true, logprobs: 1, max_tokens: 0 },
  prompt_logprobs: { prompt_logprobs: 0, max_tokens: 1 },
}

const READERS: Readonly<Record<Way, (choice: ServedReply['choice']) => Piece[] | undefined>> = {
  echo({ logprobs }) {
    const { tokens, token_logprobs: values } = logprobs ?? {}
    if (!tokens || values?.length !== tokens.length) return undefined
    return tokens.map((text, i) => ({ text, logProb: values[i] ?? null }))
  },
  prompt_logprobs({ prompt_logprobs: entries }) {
    return entries?.map((entry) => {
      const [own] = Object.values(entry ?? {})
      return { text: own?.decoded_token ?? '', logProb: own?.logprob ?? null }
    })
  },
}

/** The tokens of `prompt` with their log-probabilities in nats; throws `Failure` where the answer lacks them. */
export const scoreRequest = (
  model: string,
  way: Way,
  { what, prompt }: { readonly what: string; readonly prompt: string },
): Asked<{ readonly pieces: Piece[]; readonly reply: ServedReply }> => ({
  what,
  path: '/completions',
  body: { model, prompt, temperature: 0, seed: 0, stream: false, ...BODIES[way] },
  read(answer) {
    const reply = readReply(answer)
    const pieces = READERS[way](reply.choice)
    if (pieces && pieces.length > 1) return { pieces, reply }
    throw new Failure('The answer lacks the log-probabilities of the text that was given.')
  },
})

/** Of the tokens that end the text with `ending`; a token that begins before it counts with it. */
export function endingOf(pieces: Pieces, ending: string): Float32Array {
  let text = ''
  let from = pieces.length
  while (from > 0 && text.length < ending.length) text = pieces[--from]!.text + text
  const own = pieces.slice(text.endsWith(ending) ? from : byWords(pieces, ending))
  const known = own.flatMap(({ logProb }) => logProb ?? [])
  if (own.length > 0 && known.length === own.length) return Float32Array.from(known)
  throw new Failure('The answer’s tokens are not those of the text that was given.')
}

/** How vocabularies write a word that they lack. */
const UNKNOWN = /^(?:\[UNK\]|<unk>|<\|unk\|>|\uFFFD*)$/iu

/** Where the tokens of `ending` begin, word by word from the last, if an unknown one ends its word; the end of all if they do not fit. */
function byWords(pieces: Pieces, ending: string): number {
  let from = pieces.length
  for (const word of ending.split(/\s+/u).filter(Boolean).toReversed())
    for (let rest = word; rest !== '';) {
      const mark = pieces[--from]?.text.trim()
      if (mark === undefined) return pieces.length
      if (UNKNOWN.test(mark)) rest = ''
      else if (rest.endsWith(mark)) rest = rest.slice(0, rest.length - mark.length)
      else return pieces.length
    }
  return from
}

/** Of every token but the first. */
export const restOf = (pieces: Pieces): Float32Array =>
  Float32Array.from(pieces.slice(1), ({ logProb }) => logProb ?? NaN)
