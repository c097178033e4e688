/** @file `touchstone compare A B`: the same prompts in two runs, flips first. */
import { requireNamed } from '../../../runs/options/flags.ts'
import { extname } from 'node:path'
import { z } from 'zod'
import { ComparedField } from '../../../contract/gate/rule.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import { compareRuns, type Comparison } from '../../../findings/gate/comparison.ts'
import type { UnderPlan } from '../../../findings/gate/frozen/under-plan.ts'
import { requireMeasured } from '../../../findings/gate/gate-file.ts'
import { command } from '../../command.ts'
import { EXIT } from '../../../runs/options/exit-codes.ts'
import { comparisonText } from '../../../document/comparison-text.ts'
import { gateOf, recordOverride } from '../../../runs/gate-compared.ts'
import { pairSides, readSide, requireAllPaired, type Side } from '../../../runs/compared.ts'
import { exitZero, files, text } from '../../../runs/options/common.ts'
import {
  GATE_OPTIONS,
  gateCodes,
  gateOf as requestedGate,
} from '../../../runs/options/gate-options.ts'
import { metricMeanings } from '../../../runs/options/metric-meanings.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { readReference } from '../../../runs/reference.ts'
import { writeOutput } from '../../../runs/outputs.ts'

const CompareOptions = z.object({
  arms: z.array(text).max(2).default([]).meta({
    help: 'Which variant of A and which of B; variants of the same name if not given',
    value: 'A,B',
  }),
  allowDifferences: z.array(ComparedField).default([]).meta({
    help: 'Compare although these differ; logged in the run B and printed',
    value: 'FIELD',
  }),
  metric: z.array(text).default([]).meta({
    help: 'What a metric of a foreign log means: higher or lower is better, as refusal, over-refusal or capability',
    value: 'NAME=lower:refusal',
  }),
  ...GATE_OPTIONS,
  exitZero,
  output: z
    .array(text)
    .default([])
    .meta({ help: 'A file, .json or .txt', ...files }),
})

export const compare = command({
  schema: CompareOptions,
  positionals: 'A B',
  examples: [
    'touchstone compare out/before out/after',
    'touchstone compare out/audit out/audit --arms base,lora --gate gate.yaml',
    'touchstone compare out/base out/release-3 --reference out/release-1',
    'touchstone compare out/before out/after --plan plan.signed',
    'touchstone compare before.eval after.eval --json',
  ],
  remark:
    'A and B are folders of runs, run ids, results.json files, or logs of Inspect, lm-eval, Every Eval Ever, garak and promptfoo. Two runs are compared only where template, tokenizer, prompts, judge and decoding agree.',
  async run({ options, named, tell }) {
    const [first, second] = [0, 1].map((at) =>
      requireNamed(
        named[at],
        'Two runs are compared, and fewer were named.',
        'Name both: touchstone compare out/before out/after.',
      ),
    ) as [string, string]
    checkFiles(options.output)
    const codes = gateCodes(options.gateExitCode)
    const file = requestedGate(options)
    const allow = [...new Set([...options.allowDifferences, ...(file?.allowDifferences ?? [])])]
    const metrics = metricMeanings(file?.metrics, options.metric)
    const [before, after] = [await readSide(first, metrics), await readSide(second, metrics)]
    const pairs = pairSides(before, after, options.arms)
    const fineTunes = pairs.map(([, { arm }]) => arm)
    if (file) requireMeasured(file, measuredBy([before, after]), fineTunes)
    if (file) requireAllPaired(before, after, options.arms, pairs)
    const comparisons = compareRuns(pairs, allow)
    const reference = file?.reference && (await readReference({ ...file, metrics }))
    const under = options.plan === null ? undefined : heldToPlan(options.plan, after)
    const gate = file && gateOf(pairs, file, { allow, reference, under, looked: after.looked })
    await recordOverride(before, after, comparisons)
    const found = { type: 'comparison', gate, comparisons }
    const words = comparisonText(comparisons, gate)
    for (const path of options.output)
      await writeOutput(path, [isJson(path) ? `${JSON.stringify(found, null, 2)}\n` : words])
    tell(found, words)
    if (options.exitZero) return EXIT.ok
    return gate ? codes[gate.outcome] : isGuarded(comparisons) ? EXIT.notComparable : EXIT.ok
  },
})

/** B is what must have begun under the plan; nothing in a log says that it did, or which trainings there were. */
function heldToPlan(path: string, { heldTo }: Side): UnderPlan {
  const held = readPlanFile(path)
  if (heldTo) return heldTo(held)
  return { held, isBegun: false, earlier: 0, seeds: new Map(), looks: new Map() }
}

const isJson = (path: string) => extname(path).toLowerCase() === '.json'

function checkFiles(files: readonly string[]): void {
  const wrong = files.find((file) => !['.json', '.txt'].includes(extname(file).toLowerCase()))
  if (wrong === undefined) return
  throw usageError(
    `The format of ${wrong} is not known.`,
    'Name a file that ends in .json or .txt.',
  )
}

const isGuarded = (comparisons: readonly Comparison[]) =>
  comparisons.some(
    ({ rows }) => rows.length === 0 || rows.some(({ differences }) => differences.length > 0),
  )

/** What either side measured, and by which judges: what only one has is not comparable, what neither has is misspelt. */
function measuredBy(sides: readonly Side[]): { name: string; judges: string[] }[] {
  const judged = sides.flatMap(({ states }) => states.flatMap((state) => state.judged))
  return [...Map.groupBy(judged, ({ benchmark }) => benchmark)].map(([name, rows]) => ({
    name,
    judges: [...new Set(rows.map(({ judge }) => judge))],
  }))
}
