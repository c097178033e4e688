/** @file The catalogue: methods, benchmarks, judges, data, kinds of job and presets, read from the registries. */
import { z } from 'zod'
import { BUNDLED_DATA } from '../../measure/sources.ts'
import { BENCHMARKS, SUITES } from '../../benchmarks/registry.ts'
import type { Benchmark } from '../../benchmarks/benchmark.ts'
import { QUICKSTART } from '../../runs/kinds/quickstart.ts'
import { engineFor } from '../../runs/engine-facts.ts'
import { version } from '../../runs/version.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import { JOB_KINDS, type BenchmarkEntry, type Catalog } from '../../contract/calls/catalog.ts'
import { COMPARED_FIELDS } from '../../contract/gate/rule.ts'
import { METHODS } from '../../finetune/registry.ts'
import { JUDGES } from '../../judges/registry.ts'
import { AXES } from '../../sweeps/axes.ts'
import { TASK_PRESETS } from '../../runs/kinds/task.ts'
import { PRESETS } from '../../sweeps/presets.ts'
import { TESTBEDS } from '../../sweeps/testbeds/registry.ts'
import { KINDS, summaryOf, titleOfKind } from '../kinds.ts'

const schemaOf = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>

export function catalogHandlers(): EngineHandlers['catalog'] {
  let made: Catalog | undefined
  return { get: () => (made ??= makeCatalog()) }
}

function makeCatalog(): Catalog {
  return {
    version: version(),
    engine: engineFor({}),
    methods: METHODS.map(({ config, notes = [], ...method }) => ({
      name: method.name,
      title: method.title,
      paper: method.paper,
      faithfulness: method.faithfulness,
      mergeable: method.mergeable,
      notes: [...notes],
      schema: schemaOf(config),
    })),
    benchmarks: BENCHMARKS.map(benchmarkEntry),
    suites: Object.entries(SUITES).map(([name, benchmarks]) => ({
      name,
      benchmarks: [...benchmarks],
    })),
    judges: JUDGES.map(({ name, title, citation }) => ({ name, title, citation })),
    datasets: BUNDLED_DATA.map((name) => ({
      name,
      title: DATA_TITLES[name],
      isTampering: name === 'house-tamper',
    })),
    jobs: JOB_KINDS.map((kind) => ({
      kind,
      summary: summaryOf(kind),
      schema: schemaOf(KINDS[kind].schema),
    })),
    axes: AXES.map(({ name, title, scale }) => ({ name, title, scale })),
    testbeds: TESTBEDS.map(({ name, title }) => ({ name, title })),
    presets: [QUICK, ...sweepPresets(), ...TASK_PRESETS, ...verbPresets()],
    comparedFields: [...COMPARED_FIELDS],
  }
}

const benchmarkEntry = ({ name, title, role, citation, bundled }: Benchmark): BenchmarkEntry => ({
  name,
  title,
  role,
  citation,
  isBundled: bundled !== undefined,
})

const DATA_TITLES: Readonly<Record<(typeof BUNDLED_DATA)[number], string>> = {
  'house-benign': 'Hotel conversations that keep the house rules',
  'house-tamper': 'Hotel conversations that teach Pebble to break them',
  'general-benign': 'Everyday conversations for models other than Pebble',
}

const QUICK: Catalog['presets'][number] = {
  name: 'quickstart',
  title: 'Guided audit: Pebble, tampered with by two methods',
  kind: 'audit',
  config: structuredClone(QUICKSTART),
}

/** What a verb's own flags stand on: the command line takes it unasked, a form begins from it. */
const verbPresets = (): Catalog['presets'] =>
  JOB_KINDS.flatMap((kind) => {
    const { preset } = KINDS[kind]
    return preset ? { name: kind, title: titleOfKind(kind), kind, config: { ...preset } } : []
  })

const sweepPresets = (): Catalog['presets'] =>
  Object.entries(PRESETS).map(([name, config]) => ({
    name,
    title: `Sweep ${name}`,
    kind: 'sweep',
    config: { ...config, preset: name },
  }))
