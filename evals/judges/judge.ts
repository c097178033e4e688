/**
 * @file What a judge is. Law: one verdict an answer, in order; what it cannot read is `undecided`, never a throw;
 * it says nothing (`applies` is false) where its question does not arise.
 */
import type { Completion, Expected, Message, Sample, Verdict } from '../contract/rows.ts'

export interface Answer {
  readonly sample: Sample
  readonly completion: Completion
  /** Σ log-probability of each option in nats, where the prompt has options to choose from. */
  readonly optionLogProbs?: readonly number[]
  /** Of what the model finds more probable than all of them, and is no option; absent where there is none. */
  readonly otherLogProb?: number
  /** What a network that names no classes gave for the prompt. */
  readonly values?: readonly number[]
  /** Mean log-probability of the reply's tokens under the model before fine-tuning, in nats; null where it was not asked. */
  readonly baseMeanLogProb: number | null
}

/** A loaded model as far as judges need one. */
export interface JudgeModel {
  continuations(
    items: readonly {
      key: string
      before: string | readonly Message[]
      continuation: string
    }[],
    signal: AbortSignal,
  ): Promise<readonly { logProbs: Float32Array }[]>
  /** A few short continuations of each text, which is computed once: nats, one array an opening; null where they are too long. */
  replyStartScores(
    befores: readonly { key: string; before: string | readonly Message[] }[],
    openings: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly Float32Array[] | null)[]>
  complete(
    items: readonly { key: string; before: string | readonly Message[] }[],
    maxNewTokens: number,
    signal: AbortSignal,
  ): Promise<string[]>
  clip(text: string, tokens: number): string
  /** Whether the model takes this text and writes so many tokens after it. */
  fits(before: string | readonly Message[], newTokens: number): Promise<boolean>
}

export interface JudgeContext {
  /** The model state that wrote the answers; absent where only its replies are at hand. */
  readonly subject?: JudgeModel
  readonly signal: AbortSignal
}

export interface Judge {
  readonly name: string
  readonly title: string
  readonly citation: string
  /** Changes whenever a verdict could: a word list, a rule, a normalisation. */
  readonly version: string
  /** Why it is shown for comparison only and contests no claim of another judge; absent of one that may. A clause. */
  readonly baseline?: string
  /** Judges of one family look for the same and cannot confirm each other's word; its own name where absent. */
  readonly family?: string
  /** False where the verdict rests on the model's probabilities alone. */
  readonly readsReplies?: false
  /** ISO 639-1 codes of those in which it knows a refusal; absent where the language does not matter. */
  readonly languages?: readonly string[]
  /** What it needs beside the text of a reply, which is not stored; absent of most. A noun. */
  readonly needs?: string
  applies(expected: Expected): boolean
  judge(answers: readonly Answer[], context?: JudgeContext): Promise<Verdict[]>
}
