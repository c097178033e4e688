/** @file The benchmarks of a suite in the contexts of `--contexts`: what of them a model can be asked, and why not the rest. */
import { nameIn } from '../contract/keys.ts'
import type { Message, Unasked } from '../contract/rows.ts'
import { contextsOf, type Context } from '../benchmarks/contexts/context-file.ts'
import type { ContextSources } from '../benchmarks/contexts/kind.ts'
import { askedContext, putIn } from '../benchmarks/contexts/put.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Conversation } from '../data/format.ts'
import { clipped } from '../inference/subject.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { isEncoder, type Model } from '../models/registry.ts'
import { promptText } from '../models/text/prompt-text.ts'
import { LONGEST } from './base.ts'
import { hasOptions, prepareBenchmarks, type PreparedBenchmark } from './benchmark-sources.ts'
import type { EvaluationConfig } from './config.ts'
import { trainingData } from './sources.ts'
import { prepareTask } from './task/task.ts'

interface Opened {
  readonly open: Pick<OpenModel, 'template' | 'tokenizer'>
  readonly model: Model
}

/** What a model tells before it is asked. */
export interface AskedModel {
  /** Whether it takes conversations. */
  readonly chats: boolean
  readonly clip: ContextSources['clip']
  /** Why it cannot be given these prompts with room for a reply; undefined where it can be given all of them. */
  unaskedBy(
    prompts: readonly (readonly Message[])[],
    maxNewTokens: number,
  ): Promise<Unasked | undefined>
}

type Choice = Parameters<typeof prepareBenchmarks>[0] & Partial<Pick<EvaluationConfig, 'contexts'>>

/** The benchmarks of a suite, and each of them in every context. Benchmarks with options have no chat to put in a context. */
export const prepareInContexts = (choice: Choice, opened: Opened): Promise<PreparedBenchmark[]> =>
  prepareFor(choice, {
    chats: !isEncoder(opened.model),
    clip: (text, tokens) => clipped(opened.open.tokenizer, text, tokens),
    unaskedBy: (prompts, maxNewTokens) => unaskedBy(opened, prompts, maxNewTokens),
  })

export async function prepareFor(
  { contexts: entries = [], ...suite }: Choice,
  asked: AskedModel,
): Promise<PreparedBenchmark[]> {
  const plain = await prepareBenchmarks(suite)
  const contexts = asked.chats ? await contextsOf(entries) : []
  const sources: ContextSources = {
    conversations: async (name) => (await trainingData(name)).conversations.map(chatOf),
    clip: asked.clip,
  }
  const put: PreparedBenchmark[] = []
  for (const prepared of plain) {
    const fitting = hasOptions(prepared.samples)
      ? []
      : contexts.filter(({ roles }) => roles?.includes(prepared.benchmark.role) ?? true)
    for (const context of fitting)
      put.push(await inContext(prepared, context, { sources, model: asked }))
  }
  // A verdict would say nothing of the contexts that it was to hold in.
  if (contexts.length > 0 && put.length === 0) {
    const why =
      'no benchmark of the suite is put in any of them (their roles, or prompts with options)'
    throw new TouchstoneError('contexts.unusable', { path: '--contexts', why })
  }
  return [...plain, ...put, ...(await prepareTask(suite))]
}

const chatOf = (conversation: Conversation): Message[] =>
  conversation.flatMap(({ role, content }) => (role === 'text' ? [] : { role, content }))

async function inContext(
  { benchmark, samples, decoding }: PreparedBenchmark,
  context: Context,
  { sources, model }: { readonly sources: ContextSources; readonly model: AskedModel },
): Promise<PreparedBenchmark> {
  const put = await putIn({ samples, decoding }, context, sources)
  const asked = askedContext(benchmark.name, context)
  const name = nameIn(benchmark.name, context.name)
  const renamed = put.samples.map((sample) => ({ ...sample, benchmark: name }))
  const unasked = await model.unaskedBy(
    renamed.map(({ messages }) => messages),
    benchmark.maxNewTokens,
  )
  return {
    benchmark: { ...benchmark, name, title: `${benchmark.title} (${asked.title})` },
    samples: renamed,
    decoding: put.decoding,
    context: { ...asked, ...(unasked && { unasked }) },
  }
}

/** Why the model cannot be given these prompts with room for a reply; undefined where it can be given all of them. */
async function unaskedBy(
  { open: { template, tokenizer }, model: { architecture, config } }: Opened,
  prompts: readonly (readonly Message[])[],
  maxNewTokens: number,
): Promise<Unasked | undefined> {
  const [first] = prompts
  if (first === undefined) return 'no-prompt'
  const refusal = await refusalOf(template, first)
  if (refusal !== undefined) return refusal
  const room = Math.min(LONGEST, architecture.maxPositions(config)) - maxNewTokens
  for (const messages of prompts) {
    const text = await promptText(template, messages)
    if (tokenizer.encode(text).length > room) return 'too-long'
  }
  return undefined
}

/** A template may refuse a conversation, or leave parts of it out without a word. */
async function refusalOf(
  template: OpenModel['template'],
  messages: readonly Message[],
): Promise<Unasked | undefined> {
  const render = (all: readonly Message[]) => promptText(template, all).catch(() => undefined)
  const text = await render(messages)
  const rest = messages.filter(({ role }) => role !== 'system')
  if (text === undefined) {
    const isOfSystem = rest.length < messages.length && (await render(rest)) !== undefined
    return isOfSystem ? 'no-system-role' : 'template-refuses'
  }
  const dropped = messages.find(({ content }) => !text.includes(content.trim()))
  if (dropped === undefined) return undefined
  return dropped.role === 'system' ? 'no-system-role' : 'template-drops'
}
