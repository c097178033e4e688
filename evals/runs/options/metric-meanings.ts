/** @file `--metric NAME=MEANING` beside what a gate file says of metrics: each has one meaning. */
import { MetricMeaning } from '../../contract/gate/rule.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { metricKey } from '../../interchange/metrics.ts'

interface Said {
  readonly where: string
  readonly name: string
  readonly meaning: MetricMeaning
}

/** By name. Throws where the two, or one of them twice, say different things of a metric. */
export function metricMeanings(
  inGate: Readonly<Record<string, MetricMeaning>> | undefined,
  given: readonly string[],
): Record<string, MetricMeaning> {
  const said = [
    ...Object.entries(inGate ?? {}).map(([name, meaning]): Said => ({
      where: 'in the gate file',
      name,
      meaning,
    })),
    ...given.map(readMeaning),
  ]
  for (const [first, ...others] of Map.groupBy(said, ({ name }) => metricKey(name)).values()) {
    const other = others.find(({ meaning }) => meaning !== first!.meaning)
    if (!other) continue
    const { meaning, where } = other
    const values = { ...first!, other: meaning, elsewhere: where }
    throw new TouchstoneError('compare.two-meanings', values)
  }
  return Object.fromEntries(said.map(({ name, meaning }) => [name, meaning]))
}

function readMeaning(item: string): Said {
  const at = item.lastIndexOf('=')
  const meaning = MetricMeaning.safeParse(item.slice(at + 1))
  if (at > 0 && meaning.success)
    return { where: 'by --metric', name: item.slice(0, at), meaning: meaning.data }
  throw usageError(
    `--metric cannot be "${item}".`,
    'Give NAME=lower:refusal: higher or lower, then refusal, over-refusal or capability.',
  )
}
