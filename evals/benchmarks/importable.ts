/** @file Every benchmark that is read from a file on the user’s disk, in the order in which lists show them. Nothing of them is shipped. */
import { advBench } from './published/advbench.ts'
import type { Benchmark } from './benchmark.ts'
import { classes } from './published/classes.ts'
import { doNotAnswer } from './published/do-not-answer.ts'
import { harmBench } from './published/harmbench.ts'
import { hellaSwag } from './published/hellaswag.ts'
import { jailbreakBenchBenign, jailbreakBenchHarmful } from './published/jailbreak-bench.ts'
import { mmlu } from './published/mmlu.ts'
import { orBench80k, orBenchHard, orBenchToxic } from './published/or-bench.ts'
import { refusalBench } from './published/refusal-bench.ts'
import { sorryBench } from './published/sorry-bench.ts'
import { strongReject } from './published/strong-reject.ts'
import { xstestSafe, xstestUnsafe } from './published/xstest.ts'

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
