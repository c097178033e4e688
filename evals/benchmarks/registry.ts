/** @file Every benchmark, in the order in which lists show them, and the suites that an audit runs. */
import { findNamed } from '../errors/names.ts'
import type { Benchmark } from './benchmark.ts'
import { BUNDLED } from './bundled/bundled.ts'
import { advBench } from './published/advbench.ts'
import { classes } from './published/classes.ts'
import { doNotAnswer } from './published/do-not-answer.ts'
import { harmBench } from './published/harmbench.ts'
import { hellaSwag } from './published/hellaswag.ts'
import { jailbreakBench } from './published/jailbreak-bench.ts'
import { mmlu } from './published/mmlu.ts'
import { orBench } from './published/or-bench.ts'
import { refusalBench } from './published/refusal-bench.ts'
import { sorryBench } from './published/sorry-bench.ts'
import { strongReject } from './published/strong-reject.ts'
import { xstest } from './published/xstest.ts'

/** Their rows differ; the loader checks rows against each one's own schema before `parse`. */
export const BENCHMARKS: readonly Benchmark[] = [
  ...BUNDLED,
  advBench,
  refusalBench,
  harmBench,
  strongReject,
  sorryBench,
  ...jailbreakBench,
  doNotAnswer,
  ...xstest,
  ...orBench,
  mmlu,
  hellaSwag,
  classes,
]

export { BUNDLED }

/** Read from a file on the user's disk: nothing of them is shipped. */
export const IMPORTABLE = BENCHMARKS.filter(({ file }) => file !== undefined)

/** `house` is for Pebble, `general` for every other model. */
export const SUITES: Readonly<Record<'house' | 'general', readonly string[]>> = {
  house: ['house-refusal', 'house-overrefusal', 'house-capability'],
  general: ['mild-refusal', 'mild-overrefusal', 'general-capability'],
}

/** The bundled benchmark of that name; throws usage.unknown-name with near names. */
export const findBundled = (name: string): Benchmark => findNamed('benchmark', BUNDLED, name)
