/** @file A served model without an audit around it: patient for milliseconds, so that a test sees how it ends. */
import type { Message } from '../../../evals/contract/rows.ts'
import type { Capabilities } from '../../../evals/contract/subjects/served.ts'
import { openFleet } from '../../../evals/measure/served/fleet.ts'
import { NO_JOURNAL, type Journal } from '../../../evals/measure/served/journal.ts'
import { watchOver } from '../../../evals/measure/served/question.ts'
import { servedSubject, type ServedModel } from '../../../evals/measure/served/subject.ts'

interface Options {
  readonly timeoutMs?: number
  /** Attempts at one prompt after the first. */
  readonly retries?: number
  readonly journal?: Journal
  readonly givenLogProbs?: Capabilities['givenLogProbs']
}

const CAPABILITIES = {
  ...{ chat: true, completions: false, replyLogProbs: false, givenLogProbs: null, seeds: null },
  ...{ tokenIds: false, usage: true, systemRole: true, template: false, contextLength: null },
  ...{ models: null, reasoning: null },
}

export function servedAt(urls: readonly string[], options: Options = {}): ServedModel {
  const { timeoutMs = 2000, retries = 3, journal = NO_JOURNAL, givenLogProbs = null } = options
  const patience = { timeoutMs, pausesMs: Array.from({ length: retries }, () => 1) }
  const fleet = openFleet(
    urls.map((url) => new URL(url)),
    undefined,
    patience,
  )
  const who = { model: 'hotel', answersAs: null, fingerprint: null }
  const facts = {
    addresses: [...urls],
    ...who,
    capabilities: { ...CAPABILITIES, givenLogProbs },
    leftOut: [],
  }
  const digests = {
    weightsDigest: '',
    adapterDigest: null,
    tokenizerDigest: '',
    templateDigest: '',
  }
  const identity = {
    ...{ arm: 'base', seed: 0, title: 'Base', path: urls.join(','), method: null },
    ...{ ...digests, parameters: 0, trainableParameters: 0 },
  }
  return { identity, facts, fleet, watch: watchOver(), journal }
}

export const question = (i: number): Message => ({ role: 'user', content: `What is ${i}?` })

/** Every reply to `count` questions, by its place; throws as generation does. */
export async function repliesTo(served: ServedModel, count: number): Promise<string[][]> {
  const prompts = Array.from({ length: count }, (_, i) => ({
    key: `q${i}`,
    messages: [question(i)],
  }))
  const decoding = { maxNewTokens: 64, temperature: 0, seed: 0 }
  const found = Array.from({ length: count }, (): string[] => [])
  const { signal } = new AbortController()
  for await (const { index, completion } of servedSubject(served).generate(
    prompts,
    decoding,
    signal,
  ))
    found[index]!.push(completion.text)
  return found
}
