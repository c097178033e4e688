/** @file Every benchmark that is read from a file on the user’s disk, in the order in which lists show them. Nothing of them is shipped. */
import { advBench } from './advbench.ts'
import type { Benchmark } from './benchmark.ts'
import { classes } from './classes.ts'
import { doNotAnswer } from './do-not-answer.ts'
import { harmBench } from './harmbench.ts'
import { hellaSwag } from './hellaswag.ts'
import { jailbreakBenchBenign, jailbreakBenchHarmful } from './jailbreak-bench.ts'
import { mmlu } from './mmlu.ts'
import { orBench80k, orBenchHard, orBenchToxic } from './or-bench.ts'
import { refusalBench } from './refusal-bench.ts'
import { sorryBench } from './sorry-bench.ts'
import { strongReject } from './strong-reject.ts'
import { xstestSafe, xstestUnsafe } from './xstest.ts'

export const IMPORTABLE: readonly Benchmark[] = [
  advBench,
  refusalBench,
  harmBench,
  strongReject,
  sorryBench,
  jailbreakBenchHarmful,
  jailbreakBenchBenign,
  doNotAnswer,
  xstestSafe,
  xstestUnsafe,
  orBench80k,
  orBenchHard,
  orBenchToxic,
  mmlu,
  hellaSwag,
  classes,
]
