/** @file A local model on tokens: generation and teacher-forced scoring. */
import { generate } from './generate.ts'
import type { GeneratedTokens, GenerateOptions, TokenPrompt } from './decoding.ts'
import { scorePrefixTree } from './prefix-tree.ts'
import { scoreTexts, type ScoredText, type ScoreOptions } from './score.ts'

export type GenerationSettings = Pick<GenerateOptions, 'decoding' | 'endIds' | 'signal'>

export interface TokenModel {
  generate(
    prompts: readonly TokenPrompt[],
    settings: GenerationSettings,
  ): AsyncIterable<GeneratedTokens[]>
  score(texts: readonly ScoredText[], signal: AbortSignal): Promise<Float32Array[]>
  /** The same for texts with common prefixes (prefix-tree.ts). */
  scoreTree(texts: readonly ScoredText[], signal: AbortSignal): Promise<Float32Array[]>
}

/** A model state with its own session. */
export const tokenModel = (shared: Omit<ScoreOptions, 'signal'>): TokenModel => ({
  generate: (prompts, settings) => generate(prompts, { ...shared, ...settings }),
  score: (texts, signal) => scoreTexts(texts, { ...shared, signal }),
  scoreTree: (texts, signal) => scorePrefixTree(texts, { ...shared, signal }),
})
