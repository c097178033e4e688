/** @file What every question to a local model comes down to: rows of tokens in, tokens and log-probabilities out. */
import { generate } from './generate.ts'
import type { GeneratedTokens, GenerateOptions, TokenPrompt } from './decoding.ts'
import { scoreOpenings } from './openings.ts'
import { scoreTexts, type ScoredText, type ScoreOptions } from './score.ts'

export type Writing = Pick<GenerateOptions, 'decoding' | 'endIds' | 'signal'>

export interface TokenModel {
  generate(prompts: readonly TokenPrompt[], writing: Writing): AsyncIterable<GeneratedTokens[]>
  score(texts: readonly ScoredText[], signal: AbortSignal): Promise<Float32Array[]>
  /** The same, where many texts begin alike (openings.ts). */
  openings(texts: readonly ScoredText[], signal: AbortSignal): Promise<Float32Array[]>
}

/** One model state, asked through a session of its own. */
export const tokenModel = (shared: Omit<ScoreOptions, 'signal'>): TokenModel => ({
  generate: (prompts, writing) => generate(prompts, { ...shared, ...writing }),
  score: (texts, signal) => scoreTexts(texts, { ...shared, signal }),
  openings: (texts, signal) => scoreOpenings(texts, { ...shared, signal }),
})
