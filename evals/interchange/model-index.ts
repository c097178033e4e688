/**
 * @file The front matter of a Hugging Face model card: `base_model` and a `model-index` with the last state of each variant, one
 * result for each benchmark and judge (huggingface_hub's `EvalResult`; the Hub's model card specification, model-index).
 */
import type { Evaluation, Results } from '../contract/results.ts'
import { yamlText } from '../tables/yaml.ts'

/** What the rate of a benchmark of this role counts, as a metric's type. */
const METRICS: Readonly<Partial<Record<string, string>>> = {
  refusal: 'refusal_rate',
  'over-refusal': 'refusal_rate',
  capability: 'accuracy',
}

/** YAML without the lines `---`. Variants that share an arm are told apart by their seed. */
export function modelIndex(results: Results): string {
  const { subjects, evaluations } = results
  const variants = subjects.filter(({ arm }) => arm !== 'base')
  // A base that was looked at alone has a card too.
  const shown = variants.length === 0 ? subjects : variants
  const base = subjects.find(({ arm }) => arm === 'base')
  const models = shown.map((subject) => {
    const own = evaluations.filter(({ arm, seed }) => arm === subject.arm && seed === subject.seed)
    const last = Math.max(...own.map(({ step }) => step))
    const hasTwin = shown.some(({ arm, seed }) => arm === subject.arm && seed !== subject.seed)
    return {
      name: hasTwin ? `${subject.arm} (seed ${subject.seed})` : subject.arm,
      results: own
        // A metric without a value is no metric there.
        .filter(({ step, rate }) => step === last && rate.estimate !== null)
        .map((each) => resultOf(results, each)),
    }
  })
  return yamlText({
    ...(variants.length > 0 && base ? { base_model: base.title } : {}),
    tags: ['touchstone'],
    'model-index': models.filter(({ results: found }) => found.length > 0),
  })
}

function resultOf({ benchmarks, engine }: Results, row: Evaluation) {
  const { benchmark: name, judge, judgeVersion, rate } = row
  const benchmark = benchmarks.find((each) => each.name === name)
  const type = METRICS[benchmark?.role ?? ''] ?? 'rate'
  return {
    task: { type: 'text-generation' },
    dataset: { type: name, name: benchmark?.title ?? name, revision: benchmark?.digest ?? null },
    metrics: [
      {
        type,
        name: `${type} by ${judge}`,
        value: rate.estimate,
        args: {
          ...{ successes: rate.successes, n: rate.n, lower95: rate.lower, upper95: rate.upper },
          ...{ judge, judge_version: judgeVersion, touchstone: engine.version },
        },
      },
    ],
  }
}
