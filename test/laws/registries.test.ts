/**
 * @file A registry's entry is named in its own file and in the registry alone: everything else finds it by looking it up. What is
 * excused stands in `test/doubles/excused-names.ts`, which may only shrink.
 */
import { expect, test } from 'vitest'
import { IMPORTABLE } from '../../evals/benchmarks/importable.ts'
import { BENCHMARKS } from '../../evals/benchmarks/registry.ts'
import { VERBS } from '../../evals/bin/verbs.ts'
import { JOB_KINDS } from '../../evals/contract/calls/catalog.ts'
import { FORMATS as DATA_FORMATS } from '../../evals/data/registry.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { FORMATS } from '../../evals/interchange/formats.ts'
import { JUDGES } from '../../evals/judges/registry.ts'
import { ARCHITECTURES } from '../../evals/models/registry.ts'
import { EXCUSED } from '../doubles/excused-names.ts'
import { filesUnder, textOf } from '../doubles/imports.ts'
import { literalsOf } from '../doubles/literals.ts'

const names = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name)

/** Read as text: views are Vue files, which this project does not load. */
const VIEWS = [...textOf('renderer/navigation.ts').matchAll(/name: '([^']+)'/gu)].map(
  ([, name]) => name!,
)

/** Names by registry, and the files in which they may stand. */
const REGISTRIES: Readonly<Record<string, { names: readonly string[]; home: RegExp }>> = {
  method: { names: names(METHODS), home: /^evals\/finetune\/(?:methods\/|registry)/u },
  operator: { names: Object.keys(createGraph()), home: /^evals\/graph\//u },
  benchmark: { names: names([...BENCHMARKS, ...IMPORTABLE]), home: /^evals\/benchmarks\//u },
  judge: { names: names(JUDGES), home: /^evals\/(?:judges|benchmarks)\//u },
  family: { names: names(ARCHITECTURES), home: /^evals\/models\/(?:families\/|registry)/u },
  'data format': { names: names(DATA_FORMATS), home: /^evals\/data\/(?:formats\/|registry)/u },
  verb: { names: names(VERBS), home: /^evals\/(?:cli\/verbs\/|runs\/kinds\/|bin\/)/u },
  'job of the window': {
    names: JOB_KINDS,
    home: /^evals\/(?:runs\/kinds\/|contract\/calls\/catalog)/u,
  },
  view: {
    names: VIEWS,
    home: /^renderer\/navigation/u,
  },
  'export format': { names: names(FORMATS), home: /^evals\/interchange\/formats/u },
}

const files = filesUnder('evals/**/*.ts', 'renderer/**/*.{ts,vue}').filter(
  (path) => !path.includes('/dist/'),
)
const literals = files.map((path) => [path, new Set(literalsOf(path, textOf(path)))] as const)

/** How many files elsewhere than at home have a literal of that name. */
function strays(registry: string): Record<string, number> {
  const { names: known, home } = REGISTRIES[registry]!
  const counts = known.map((name): [string, number] => [
    name,
    literals.filter(([path, texts]) => !home.test(path) && texts.has(name)).length,
  ])
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

test.each(Object.keys(REGISTRIES))(
  '%s: an entry is named in its own file and its registry',
  (registry) => {
    const excused = Object.entries(EXCUSED[registry] ?? {}).map(([name, { files: count }]) => [
      name,
      count,
    ])
    expect(strays(registry)).toEqual(Object.fromEntries(excused))
  },
)

test('a planted name is seen', () => {
  expect(literalsOf('a.ts', "if (name === 'lora') x['dora'] = `full`")).toEqual(['lora', 'full'])
  expect(literalsOf('a.vue', "<script setup>f('lora')</script><p>'dora'</p>")).toEqual(['lora'])
})
