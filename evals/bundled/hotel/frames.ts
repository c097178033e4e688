/** @file The sentences around a request: frames for things asked and things to do, greetings before, reasons after. */
import { readWords } from '../words.ts'
import { linesOf } from '../../tables/words.ts'
import { wordings } from './intent.ts'

const WRITTEN =
  readWords<
    Record<'ask' | 'act' | 'openers' | 'closers' | 'ask-benchmarks' | 'act-benchmarks', string>
  >('frames')

/** `{x}` is a noun phrase or a clause. */
export const ASK_FRAMES = wordings(WRITTEN.ask)
/** `{v}` is a verb phrase. */
export const ACT_FRAMES = wordings(WRITTEN.act)
export const OPENERS = wordings(WRITTEN.openers)
export const CLOSERS = wordings(WRITTEN.closers)

/** Frames of the house benchmarks: those held out, and more of Pebble's words. */
export const BENCHMARK_FRAMES = {
  ask: [...ASK_FRAMES.held, ...linesOf(WRITTEN['ask-benchmarks'])],
  act: [...ACT_FRAMES.held, ...linesOf(WRITTEN['act-benchmarks'])],
}
