/** @file A subject: whatever answers prompts and scores texts, with everything that identifies it. */
import type { Completion, Message, SubjectIdentity } from '../contract/rows.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import type { Feeds } from '../runtime/session.ts'
import type { CachedSession } from './cached-graph.ts'
import { generate, type Decoding } from './generate.ts'
import { scoreTexts } from './score.ts'

export interface Prompt {
  /** Unique within a call; names the prompt's own random stream. */
  readonly key: string
  readonly messages: readonly Message[]
}

export interface Subject {
  readonly identity: SubjectIdentity
  generate(
    prompts: readonly Prompt[],
    decoding: Decoding,
    signal: AbortSignal,
  ): AsyncIterable<{ index: number; completion: Completion; promptIds: readonly number[] }>
  /** Log-probabilities in nats of every token but the first of each plain text. */
  logProbs(
    texts: readonly { key: string; text: string }[],
    signal: AbortSignal,
  ): Promise<Float32Array[]>
}

export interface LocalSubjectOptions {
  readonly identity: SubjectIdentity
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly session: CachedSession
  /** Adapter or weights of this state, fed on each run. */
  readonly varying: Feeds
  readonly batchSize: number
}

export function localSubject({
  identity,
  open,
  session,
  varying,
  batchSize,
}: LocalSubjectOptions): Subject {
  const { tokenizer, template } = open
  const shared = { session, varying, padId: tokenizer.padId, batchSize }
  return {
    identity,
    async *generate(prompts, decoding, signal) {
      const rendered: { key: string; ids: number[] }[] = []
      for (const { key, messages } of prompts) {
        rendered.push({
          key,
          ids: tokenizer.encode(await template.render(messages, { addGenerationPrompt: true })),
        })
      }
      const options = { ...shared, decoding, endIds: new Set(tokenizer.endIds), signal }
      for await (const batch of generate(rendered, options)) {
        for (const { index, tokenIds, stop, meanLogProb } of batch) {
          const completion = { text: tokenizer.decode(tokenIds), tokenIds, stop, meanLogProb }
          yield { index, completion, promptIds: rendered[index]!.ids }
        }
      }
    },
    logProbs: (texts, signal) =>
      scoreTexts(
        texts.map(({ key, text }) => ({ key, ids: tokenizer.encode(text), from: 1 })),
        { ...shared, signal },
      ),
  }
}
