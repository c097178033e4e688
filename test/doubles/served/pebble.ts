/** @file Pebble behind an address: its own replies and log-probabilities through the double, with slips where a test plants them. */
import type { Message } from '../../../evals/contract/rows.ts'
import { renderPrompt } from '../../../evals/inference/prompt.ts'
import type { OpenModel } from '../../../evals/models/checkpoint.ts'
import {
  identityOf,
  openBase,
  openOwnSession,
  subjectOf,
  type Base,
} from '../../../evals/measure/base.ts'
import type { Subject } from '../../../evals/inference/subject.ts'
import { serveDouble, type Said, type ServedDouble } from './server.ts'

export interface Slip {
  /** Another chat template, as what the messages become before Pebble's own. */
  readonly messages?: (messages: readonly Message[]) => readonly Message[]
  /** More tokens at the beginning of every prompt. */
  readonly start?: number
  /** Goes on after the end with these words. */
  readonly after?: string
  /** Weights: each log-probability is off by this. */
  readonly shift?: number
  /** Whether tokens are counted. */
  readonly counts?: boolean
}

export interface ServedPebble extends ServedDouble {
  plant(slip: Slip): void
  release(): Promise<void>
}

export async function servePebble(models: readonly string[] = ['pebble']): Promise<ServedPebble> {
  const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  const session = await openOwnSession(base, base.device)
  const subject = subjectOf(
    base,
    identityOf(base, base.open, { arm: 'base', title: 'Pebble' }),
    session,
  )
  let slip: Slip = {}
  // One at a time: a session runs one batch.
  let last: Promise<unknown> = Promise.resolve()
  const double = await serveDouble({
    models,
    says(body) {
      const said = last.then(() => sayAs(slip, { base, subject }, body))
      last = said.catch(() => undefined)
      return said
    },
  })
  return {
    ...double,
    plant: (next) => {
      slip = next
    },
    async release() {
      await double.close()
      await session.release()
      await base.open.close()
    },
  }
}

interface Pebble {
  readonly base: Base
  readonly subject: Subject
}

async function sayAs(
  { messages: change = (all) => all, start = 0, after = '', shift = 0, counts = true }: Slip,
  { base, subject }: Pebble,
  body: Parameters<Parameters<typeof serveDouble>[0]['says']>[0],
): Promise<Said> {
  const messages = change(body.messages as readonly Message[])
  const decoding = {
    maxNewTokens: body.max_tokens,
    temperature: body.temperature,
    seed: body.seed ?? 0,
  }
  const { signal } = new AbortController()
  const prompts = [{ key: 'served', messages }]
  for await (const { completion } of subject.generate(prompts, decoding, signal)) {
    const { text, stop, meanLogProb, tokenIds } = completion
    const isOver = stop === 'length'
    const whole = isOver ? text : `${text}${after}`
    return {
      text: whole,
      finish: isOver ? 'length' : 'stop',
      logProbs: tokenIds.map(() => meanLogProb! + shift),
      counts,
      promptTokens: start + (await tokensOf(base.open, messages)),
      completionTokens: tokenIds.length,
    }
  }
  throw new Error('internal: Pebble gave no reply')
}

async function tokensOf(open: OpenModel, messages: readonly Message[]): Promise<number> {
  const { text } = await renderPrompt(open, messages)
  return open.tokenizer.encode(text).length
}
