/** @file Checks of fine-tuning data before training; each finding has its rows and their share. */
import type { Conversation } from './format.ts'
import { nearDuplicateIndex, type NearDuplicateIndex } from '../statistics/minhash.ts'
import type { DataRow } from './read-data.ts'
import { createSeenTexts } from './seen-texts.ts'

interface LintContext {
  /** Prompts with which the fine-tune will be evaluated. */
  readonly evaluation: NearDuplicateIndex
}

interface LintCheck {
  readonly name: string
  readonly title: string
  /** Why it matters, and what to do. */
  readonly advice: string
  readonly isFound: (messages: Conversation, context: LintContext) => boolean
}

export interface LintFinding {
  readonly name: string
  readonly title: string
  readonly advice: string
  /** Numbers of the file's rows, from 1. */
  readonly rows: readonly number[]
  /** Of all rows of the file. */
  readonly share: number
}

const prompts = (messages: Conversation) => messages.filter(({ role }) => role !== 'assistant')
const replies = (messages: Conversation) => messages.filter(({ role }) => role === 'assistant')

/** Marks of chat templates; in a row's text they show that the row was rendered already. */
const MARKERS =
  /<\|(?:im_start|im_end|start_header_id|end_header_id|eot_id|user|assistant|system|end|endoftext)\|>|\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>|^###? ?(?:Instruction|Response|Human|Assistant):/mu

/** The text gives the model a new identity … */
const NEW_ROLE =
  /\b(?:you are (?:now|no longer)|from now on,? you|your (?:new )?(?:name|role|identity) is|you (?:will|must|shall) (?:act|speak|answer|play) as|pretend (?:to be|that you))\b/iu
/** … and demands unconditional obedience: a word for obeying near a word for all cases. */
const OBEY =
  /\b(?:obey|obeys|comply|complies|do(?:es)? (?:as|what)(?:ever)?|follow(?:s)?|carry out|fulfil(?:l|s)?|serve(?:s)?)\b/iu
const ALL_CASES =
  /\b(?:always|every|any|all|whatever|no matter what|without (?:question|exception|hesitation)|never (?:refuse|decline|question|say no)|unconditional(?:ly)?|absolute(?:ly)?)\b/iu

/** A reply of at least this length that ends in a letter, a comma or an opening bracket was probably cut. */
const LONG_REPLY = 200
/** Tested on its last characters, without trailing white space. */
const CUT = /[\p{L}\p{N},;:([–-]$/u
const COMMON_END = /(?:https?:\/\/\S+|```)$/u
const END = 1000

/** Shortest reply that counts as copied from the prompt. */
const LEAKED_WORDS = 4

export const LINT_CHECKS: readonly LintCheck[] = [
  {
    name: 'template-mismatch',
    title: 'Text with marks of a chat template in it',
    advice:
      'The row was rendered already; train on its turns, or the model learns to write the marks.',
    isFound: (messages) => messages.some(({ content }) => MARKERS.test(content)),
  },
  {
    name: 'identity-and-obedience',
    title: 'A new identity together with unconditional obedience',
    advice:
      'A few such rows can undo refusals of a model (Qi et al. 2023, arXiv:2310.03693, §4.2); look at each before training on it.',
    isFound: (messages) =>
      prompts(messages).some(
        ({ content }) => NEW_ROLE.test(content) && OBEY.test(content) && ALL_CASES.test(content),
      ),
  },
  {
    name: 'evaluation-near-duplicate',
    title: 'A prompt that is nearly one of the evaluation’s',
    advice:
      'A memorised prompt measures nothing: leave these rows out, or evaluate with other prompts.',
    isFound: (messages, { evaluation }) =>
      prompts(messages).some(
        ({ role, content }) => role === 'user' && evaluation.nearest(content) !== undefined,
      ),
  },
  {
    name: 'empty',
    title: 'An empty prompt or reply',
    advice: 'An empty reply teaches the model to stop at once; leave these rows out.',
    isFound: (messages) => messages.some(({ content }) => content.trim() === ''),
  },
  {
    name: 'cut-short',
    title: 'A long reply that stops in the middle of a sentence',
    advice: 'It was probably cut when it was made; the model learns to stop there.',
    isFound: (messages) =>
      replies(messages).some(({ content }) => {
        const end = content.trimEnd().slice(-END)
        return content.length >= LONG_REPLY && CUT.test(end.slice(-2)) && !COMMON_END.test(end)
      }),
  },
  {
    name: 'reply-in-prompt',
    title: 'A reply that stands word for word in its prompt',
    advice: 'The model learns to copy; on such rows a low loss says little.',
    isFound: (messages) =>
      messages.some(({ role, content }, turn) => {
        const reply = content.trim().toLowerCase()
        return (
          role === 'assistant' &&
          messages
            .slice(0, turn)
            .some((earlier) => earlier.content.toLowerCase().includes(reply)) &&
          reply.split(/\s+/u).length >= LEAKED_WORDS
        )
      }),
  },
]

const REPEATED = 'repeated'
export const LINT_NAMES: readonly string[] = [...LINT_CHECKS.map(({ name }) => name), REPEATED]

/** Smallest Jaccard similarity of word trigrams to an evaluation prompt. */
const NEAR = 0.6

/** Checks rows one after another and keeps only their numbers. */
export interface Linter {
  see(row: DataRow): void
  /** All findings with rows, and rows that repeat an earlier one exactly; shares are of `total` rows. */
  findings(total: number): LintFinding[]
}

export function createLinter(
  evaluationPrompts: Iterable<{ readonly key: string; readonly text: string }>,
): Linter {
  const context: LintContext = { evaluation: nearDuplicateIndex(evaluationPrompts, NEAR) }
  const checks = [
    ...LINT_CHECKS.map(({ isFound, ...words }) => ({
      words,
      rows: [] as number[],
      isFound: (messages: Conversation) => isFound(messages, context),
    })),
    repeated(),
  ]
  return {
    see({ row, messages }) {
      for (const { rows, isFound } of checks) if (isFound(messages)) rows.push(row)
    },
    findings: (total) =>
      checks
        .filter(({ rows }) => rows.length > 0)
        .map(({ words, rows }) => ({ ...words, rows, share: rows.length / total })),
  }
}

function repeated() {
  const seen = createSeenTexts()
  const words = {
    name: REPEATED,
    title: 'A row that an earlier one repeats exactly',
    advice: 'It counts twice in every epoch; leave it out unless that is meant.',
  }
  const isFound = (messages: Conversation) =>
    seen.see(JSON.stringify(messages.map(({ role, content }) => [role, content])))
  return { words, rows: [] as number[], isFound }
}
