/**
 * @file A registry's entry is named in its own file and in the registry alone: everything else finds it by looking it up. What is
 * excused stands in `test/doubles/excused-names.ts`, which may only shrink.
 *
 * A distinctive name (`lora`, `harmbench`) is found in every string literal. A name that is an ordinary word (`full`, `log`,
 * `data`) is found only where it is compared with, or handed to, something that the registry's noun names:
 * `method.name === 'full'`, `findJudge('choice')`. Elsewhere the word means something else.
 */
import { expect, test } from 'vitest'
import { REMEDIES } from '../../evals/arms/remedies/registry.ts'
import { BENCHMARKS } from '../../evals/benchmarks/registry.ts'
import { VERBS } from '../../evals/bin/verbs.ts'
import { JOB_KINDS } from '../../evals/contract/calls/catalog.ts'
import { FORMATS as DATA_FORMATS } from '../../evals/data/registry.ts'
import { STRATEGIES } from '../../evals/finetune/federation/registry.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { FORMATS } from '../../evals/interchange/formats.ts'
import { JUDGES, MODEL_JUDGES } from '../../evals/judges/registry.ts'
import { ARCHITECTURES } from '../../evals/models/registry.ts'
import { EXCUSED } from '../doubles/excused-names.ts'
import { filesUnder, importsOf, textOf } from '../doubles/imports.ts'
import { literalsOf } from '../doubles/literals.ts'

interface Registry {
  readonly names: readonly string[]
  /** The files in which they may stand. */
  readonly home: RegExp
  /** What is compared with an entry's name, and who looks one up. */
  readonly noun: RegExp
  /** Names that are ordinary words too: `all` of them, or these. */
  readonly ordinary: 'all' | readonly string[]
}

const names = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name)

/** Read as text: views are Vue files, which this project does not load. */
const VIEWS = [...textOf('renderer/navigation.ts').matchAll(/name: '([^']+)'/gu)].map(
  ([, name]) => name!,
)

const REGISTRIES: Readonly<Record<string, Registry>> = {
  method: {
    names: names(METHODS),
    home: /^evals\/finetune\/(?:methods\/|registry)/u,
    noun: /method/iu,
    ordinary: ['full'],
  },
  remedy: {
    names: names(REMEDIES),
    home: /^evals\/arms\/remedies\//u,
    noun: /remedy/iu,
    ordinary: ['scale', 'mix', 'leave-out', 'reset', 'intruders'],
  },
  'federated strategy': {
    names: names(STRATEGIES),
    home: /^evals\/finetune\/federation\//u,
    noun: /strategy/iu,
    ordinary: [],
  },
  operator: {
    names: Object.keys(createGraph()),
    home: /^evals\/graph\//u,
    noun: /\bop(?:erator)?\b/iu,
    ordinary: 'all',
  },
  benchmark: {
    names: names(BENCHMARKS),
    home: /^evals\/benchmarks\//u,
    noun: /benchmark/iu,
    ordinary: ['classes'],
  },
  judge: {
    names: names([...JUDGES, ...MODEL_JUDGES]),
    home: /^evals\/(?:judges|benchmarks)\//u,
    noun: /judge/iu,
    ordinary: ['choice', 'normalised', 'classifier'],
  },
  family: {
    names: names(ARCHITECTURES),
    home: /^evals\/models\/(?:families\/|registry)/u,
    noun: /architecture|family/iu,
    ordinary: [],
  },
  'data format': {
    names: names(DATA_FORMATS),
    home: /^evals\/data\/(?:formats\/|registry)/u,
    noun: /format/iu,
    ordinary: ['messages', 'preference'],
  },
  verb: {
    names: names(VERBS),
    home: /^evals\/(?:cli\/verbs\/|runs\/kinds\/|bin\/)/u,
    noun: /verb|command/iu,
    ordinary: 'all',
  },
  'job of the window': {
    names: JOB_KINDS,
    home: /^evals\/(?:runs\/kinds\/|contract\/calls\/catalog)/u,
    noun: /(?:job|run)\w*\.kind\b/iu,
    ordinary: 'all',
  },
  view: {
    names: VIEWS,
    home: /^renderer\/navigation/u,
    noun: /view|route|place/iu,
    ordinary: 'all',
  },
  'export format': {
    names: names(FORMATS),
    home: /^evals\/interchange\/formats/u,
    noun: /export/iu,
    ordinary: ['inspect', 'rates', 'csv', 'jsonl'],
  },
}

const files = filesUnder('evals/**/*.ts', 'renderer/**/*.{ts,vue}').filter(
  (path) => !path.includes('/dist/'),
)
const literals = files.flatMap((path) =>
  literalsOf(path, textOf(path)).map((literal) => ({ ...literal, path })),
)

const meansEntry = ({ noun, ordinary }: Registry, text: string, beside: string): boolean =>
  noun.test(beside) || !(ordinary === 'all' || ordinary.includes(text))

/** `name in file` for every file elsewhere than at home that names an entry. */
function strays(registry: Registry): string[] {
  const known = new Set(registry.names)
  const found = literals
    .filter(({ text, path }) => known.has(text) && !registry.home.test(path))
    .filter(({ text, beside }) => meansEntry(registry, text, beside))
  return [...new Set(found.map(({ text, path }) => `${text} in ${path}`))].sort()
}

test.each(Object.entries(REGISTRIES))(
  '%s: an entry is named in its own file and its registry',
  (noun, registry) => {
    const excused = Object.keys(EXCUSED[noun] ?? {})
    expect(strays(registry)).toEqual(excused.sort())
  },
)

test('a section of the report is imported by the registry and by other sections alone', () => {
  const home = /^evals\/document\/(?:sections\/|registry)/u
  const sections = /^evals\/document\/sections\//u
  const imports = files.flatMap((path) => importsOf(path)).filter(({ to }) => sections.test(to))
  expect(imports.length).toBeGreaterThan(20)
  expect(imports.filter(({ from }) => !home.test(from))).toEqual([])
})

test('a planted name is seen, and an ordinary word only beside its noun', () => {
  const textsOf = (path: string, text: string) => literalsOf(path, text).map((each) => each.text)
  expect(textsOf('a.ts', "if (name === 'lora') x['dora'] = `full`")).toEqual(['lora', 'full'])
  expect(textsOf('a.vue', "<script setup>f('lora')</script><p>'dora'</p>")).toEqual(['lora'])
  const seen = (text: string) =>
    literalsOf('a.ts', text).every(({ text: name, beside }) =>
      meansEntry(REGISTRIES['method']!, name, beside),
    )
  expect(seen("const a = 'lora'")).toBe(true)
  expect(seen("if (arm.method.name === 'full') f()")).toBe(true)
  expect(seen("switch (method) { case 'full': f() }")).toBe(true)
  expect(seen("findMethod('full')")).toBe(true)
  expect(seen("['full'].includes(method.name)")).toBe(true)
  expect(seen("detail === 'full'")).toBe(false)
})
