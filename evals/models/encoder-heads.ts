/** @file Classification heads over the hidden state of an encoder's first token, and the names of their classes. */
import { z } from 'zod'
import type { Value } from '../graph/value.ts'
import type { ModelScope } from './architecture.ts'
import type { WeightList } from './weight-list.ts'

export interface HeadPart {
  /** Name of the last layer. */
  readonly output: string
  /** Whether the head owns a weight of this name. */
  owns(name: string): boolean
  weights(list: WeightList, hidden: number, classes: number): void
  /** first tokens `[rows, hidden]` → logits `[rows, classes]`. */
  apply(scope: ModelScope, first: Value): Value
}

interface HeadOptions {
  readonly dense: string
  readonly output: string
  readonly activation: 'tanh' | 'relu'
  /** Whether the dense layer was pretrained with the body (BERT's pooler). */
  readonly pretrained?: boolean
}

/** output(act(dense·x + b)) + c. */
export const denseHead = ({ dense, output, activation, pretrained }: HeadOptions): HeadPart => ({
  output,
  owns: (name) => [dense, output].some((layer) => name.startsWith(`${layer}.`)),
  weights(list, hidden, classes) {
    const head = pretrained ? 'kept' : 'trained'
    list.linear(dense, [hidden, hidden], { biased: true, head })
    list.linear(output, [classes, hidden], { biased: true, head: 'trained' })
  },
  apply(scope, first) {
    const { g } = scope
    const inner = scope.linear(dense, first)
    const zero = g.scalar(0)
    const bent =
      activation === 'tanh' ? g.tanh(inner) : g.where(g.greaterOrEqual(inner, zero), inner, zero)
    return scope.linear(output, bent)
  },
})

const MAX_CLASSES = 10_000

/** Class fields of config.json. transformers writes none of them for two unnamed classes. */
export const classFields = {
  architectures: z.array(z.string()).nullish(),
  num_labels: z.int().positive().max(MAX_CLASSES).optional(),
  id2label: z.record(z.string().regex(/^\d{1,5}$/u), z.string()).nullish(),
  problem_type: z.literal('single_label_classification').nullish(),
}
type ClassFields = z.infer<z.ZodObject<typeof classFields>>

const UNNAMED_CLASSES = 2

export function classesIn({
  id2label,
  num_labels: count,
}: Pick<ClassFields, 'id2label' | 'num_labels'>): string[] {
  const named = Object.entries(id2label ?? {})
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => name)
  return named.length > 0
    ? named
    : Array.from({ length: count ?? UNNAMED_CLASSES }, (_, i) => `LABEL_${i}`)
}

/** Index of the class `label`: by name, or by number from 0 if the classes have default names. −1 if there is none. */
export function classIndex(classes: readonly string[], label: string): number {
  const named = classes.indexOf(label)
  if (named !== -1 || !classes.every((name, i) => name === `LABEL_${i}`)) return named
  return /^\d{1,5}$/u.test(label) && Number(label) < classes.length ? Number(label) : -1
}

export const namesHead = ({ architectures }: ClassFields): boolean | undefined =>
  architectures?.[0] === undefined
    ? undefined
    : architectures.some((name) => name.endsWith('ForSequenceClassification'))
