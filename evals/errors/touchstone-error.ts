/**
 * @file Every error that a user can meet, as data: a stable code, what happened with its values, and what to do.
 *
 * `throw new TouchstoneError('checkpoint.truncated', { path, … })`. Any other error is a bug of ours and begins
 * with `internal:`. A law checks that every remedy is a sentence.
 */

import { entry, type Details } from './entry.ts'
import { DATA_ERRORS } from './data.ts'
import { ENCODER_ERRORS } from './encoders.ts'
import { EXPORT_ERRORS } from './exports.ts'
import { MEMORY_ERRORS } from './memory.ts'
import { WORKBENCH_ERRORS } from './workbench.ts'

export const ERRORS = {
  // ---- command line ----
  'usage.invalid': entry((v: { problem: string; remedy: string }) => ({
    message: v.problem,
    remedy: v.remedy,
  })),
  'usage.unknown-name': entry(
    (v: { kind: string; name: string; near: readonly string[]; known: readonly string[] }) => ({
      message: `There is no ${v.kind} named "${v.name}".`,
      remedy:
        v.near.length > 0
          ? `Did you mean ${v.near.join(' or ')}?`
          : `Choose one of: ${v.known.join(', ')}.`,
    }),
  ),

  // ---- devices and runtime ----
  'device.unusable': entry((v: { device: string; why: string; remedy: string }) => ({
    message: `The device "${v.device}" cannot be used: ${v.why}.`,
    remedy: v.remedy,
  })),
  'device.out-of-memory': entry((v: { device: string; batchSize: number }) => ({
    message: `${v.device} ran out of memory at batch size ${v.batchSize}.`,
    remedy:
      v.batchSize > 1
        ? `Lower --batch-size to ${Math.floor(v.batchSize / 2)}.`
        : 'Choose a smaller model.',
  })),

  // ---- checkpoints, tokenizers, templates ----
  'checkpoint.not-found': entry((v: { path: string }) => ({
    message: `There is nothing at ${v.path}.`,
    remedy: 'Check the path; it must name a model folder, an adapter folder or a .gguf file.',
  })),
  'checkpoint.unrecognised': entry((v: { path: string; found: string; supported: string }) => ({
    message: `${v.path} is not a model that Touchstone can read: found ${v.found}; supported: ${v.supported}.`,
    remedy:
      'Point --model at a Hugging Face folder with config.json and .safetensors files, or at a .gguf file.',
  })),
  'checkpoint.malformed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is damaged or hostile: found ${v.found}; expected ${v.expected}.`,
    remedy:
      'Download or copy the file again and compare its digest with the publisher’s; nothing was loaded.',
  })),
  'checkpoint.shards': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is one of several GGUF files that make a model: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Put all files of the model into one folder under the names they were published with.',
  })),
  'checkpoint.unsupported': entry(
    (v: { path: string; what: string; found: string; supported: string }) => ({
      message: `${v.path} uses ${v.what} "${v.found}", which Touchstone cannot read; supported: ${v.supported}.`,
      remedy: 'Convert the model to a supported form, for example safetensors in float16.',
    }),
  ),
  'checkpoint.changed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is not what was recorded: found sha256 ${v.found}; expected ${v.expected}.`,
    remedy: 'Get the files again from where they came from, or measure what lies there now.',
  })),
  'checkpoint.pickle': entry((v: { path: string }) => ({
    message: `${v.path} is a pickle, which can run code when opened; Touchstone never opens one.`,
    remedy: 'Convert it to .safetensors on a machine that you trust.',
  })),
  'checkpoint.weight-missing': entry(
    (v: { path: string; name: string; near: readonly string[] }) => ({
      message: `${v.path} holds no weight named "${v.name}"${v.near.length > 0 ? ` (near: ${v.near.join(', ')})` : ''}.`,
      remedy: 'Check that the files belong to the architecture that config.json names.',
    }),
  ),
  'checkpoint.weight-shape': entry(
    (v: { path: string; name: string; found: string; expected: string }) => ({
      message: `${v.path}: weight "${v.name}" has shape ${v.found}; the configuration asks for ${v.expected}.`,
      remedy: 'Use the config.json that was published with these weights.',
    }),
  ),
  'tokenizer.unsupported': entry((v: { path: string; found: string; supported: string }) => ({
    message: `${v.path}: the tokenizer "${v.found}" cannot be used; supported: ${v.supported}.`,
    remedy: 'Use a model with a tokenizer.json, or a GGUF file with a BPE tokenizer.',
  })),
  'template.missing': entry((v: { path: string }) => ({
    message: `${v.path} carries no chat template.`,
    remedy:
      'Add the publisher’s chat_template.jinja to the folder, or use an instruction-tuned model.',
  })),
  'template.failed': entry((v: { path: string; why: string }) => ({
    message: `The chat template of ${v.path} failed: ${v.why}.`,
    remedy: 'Use the template that was published with the model, or mend it.',
  })),
  'template.not-a-prefix': entry((v: { path: string; turn: number }) => ({
    message: `The chat template of ${v.path} renders turn ${v.turn} differently once a reply follows, so the reply’s tokens cannot be told apart.`,
    remedy: 'Use a template in which a conversation’s beginning stays the same when it grows.',
  })),

  'prompt.too-long': entry((v: { key: string; tokens: number; limit: number }) => ({
    message: `The text "${v.key}" needs ${v.tokens} tokens; the model takes 1 to ${v.limit}.`,
    remedy:
      'Shorten that text or lower the number of new tokens; an empty one cannot be asked either.',
  })),

  // ---- benchmarks from the user's disk ----
  'benchmark.unreadable': entry((v: { path: string; found: string }) => ({
    message: `${v.path} cannot be read as a benchmark: found ${v.found}.`,
    remedy: 'Give a CSV, JSON, JSONL or Parquet file as it was published, in UTF-8.',
  })),
  'benchmark.columns': entry(
    (v: {
      path: string
      family: string
      missing: readonly string[]
      columns: readonly string[]
    }) => ({
      message: `${v.path} is nearly ${v.family}, but lacks ${v.missing.join(', ')}; its columns are ${v.columns.slice(0, 20).join(', ')}.`,
      remedy: 'Give the file as it was published, or say what its columns hold with --map.',
    }),
  ),
  'benchmark.ambiguous': entry((v: { path: string; families: readonly string[] }) => ({
    message: `${v.path} has the columns of ${v.families.join(' and ')}, and its name does not say which it is.`,
    remedy: `Say which: --suite ${v.families[0] ?? 'NAME'}=${v.path}.`,
  })),
  'benchmark.unknown': entry((v: { path: string; columns: readonly string[] }) => ({
    message: `${v.path} has the columns of no benchmark that Touchstone knows: ${v.columns.slice(0, 20).join(', ')}.`,
    remedy: 'Say what they hold: --map prompt=COLUMN,expected=refuse.',
  })),
  'benchmark.examples': entry((v: { path: string; wanted: readonly string[] }) => ({
    message: `${v.path} is asked after solved examples, and there is no file with them.`,
    remedy:
      v.wanted.length > 0
        ? `Put the dev questions at ${v.wanted.join(' or ')}.`
        : 'Keep "test" in its name and put the file with "dev" in its place beside it.',
  })),
  'benchmark.row': entry((v: { path: string; row: number; why: string }) => ({
    message: `${v.path}, row ${v.row}: ${v.why}.`,
    remedy: 'Mend or remove that row; the header does not count, nor do line ends inside fields.',
  })),
  'benchmark.needs-file': entry((v: { name: string }) => ({
    message: `${v.name} is read from a file of yours; Touchstone ships none of its prompts.`,
    remedy: `Name the file: --suite ${v.name}=PATH.`,
  })),

  'labels.file': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be read as labels: ${v.why}.`,
    remedy:
      'Fill in the column "outcome" of the file that touchstone label export wrote; nothing was stored.',
  })),
  'labels.nothing': entry((v: { run: string }) => ({
    message: `The run ${v.run} has no labels yet.`,
    remedy: 'Write a file with touchstone label export, fill it in, and read it with label import.',
  })),
  'judge.file': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be used as a judge: ${v.why}.`,
    remedy:
      'Give a JSON object whose "template" (classifier) or "user" (rubric) holds {prompt} and {reply}.',
  })),

  'judge.address': entry((v: { url: string; why: string }) => ({
    message: `The judge at ${v.url} cannot be asked: ${v.why}.`,
    remedy:
      'Write --judge rubric=URL#MODEL, URL up to /v1 and a key in TOUCHSTONE_JUDGE_KEY; another machine needs a reason in --send-replies, which is logged.',
  })),

  'adapter.other-base': entry((v: { path: string; module: string }) => ({
    message: `The adapter ${v.path} adapts "${v.module}", which the base does not have in that shape.`,
    remedy: 'Give the base model that this adapter was trained on with --model.',
  })),

  // ---- training ----
  'training.not-finite': entry((v: { step: number; what: string; checkpoint: string }) => ({
    message: `Training stopped at step ${v.step}: ${v.what} is not a finite number.`,
    remedy: `Lower --learning-rate; the last good checkpoint is kept at ${v.checkpoint}.`,
  })),
  'training.resume-mismatch': entry((v: { field: string; saved: string; asked: string }) => ({
    message: `The checkpoint was made with ${v.field} = ${v.saved}, and this run asks for ${v.asked}.`,
    remedy: 'Resume with the same settings, or start a new run in another --out-dir.',
  })),
  'training.small-base': entry((v: { method: string }) => ({
    message: `${v.method} trains or moves the base’s own weights, which are to be kept small.`,
    remedy:
      'Use --base-precision fp32, or a method that leaves the base as it is: lora, rslora, dora.',
  })),
  'training.approximate-forward': entry((v: { why: string; remedy: string }) => ({
    message: `The forward pass cannot be made in int8: ${v.why}.`,
    remedy: v.remedy,
  })),
  'training.no-target': entry((v: { targets: string; known: readonly string[] }) => ({
    message: `No layer of the model matches the target modules ${v.targets}.`,
    remedy: `Name some of: ${v.known.join(', ')}.`,
  })),

  // ---- spectra ----
  'spectrum.not-finite': entry(
    (v: { weight: string; found: string; row: number; column: number }) => ({
      message: `The weight "${v.weight}" holds ${v.found} at row ${v.row}, column ${v.column}, so it has no singular values.`,
      remedy: 'Check where that checkpoint went wrong and scan an earlier one.',
    }),
  ),
  'spectrum.other-shape': entry((v: { weight: string; tuned: number; base: string }) => ({
    message: `The tuned weight "${v.weight}" holds ${v.tuned} numbers; the base has ${v.base}.`,
    remedy: 'Compare a model with the base that it was tuned from.',
  })),
  'spectrum.zero-base': entry((v: { weight: string }) => ({
    message: `The base weight "${v.weight}" is zero everywhere, so nothing can be compared with it.`,
    remedy: 'Check that the base checkpoint holds trained weights, or leave this weight out.',
  })),

  // ---- interchange ----
  'interchange.malformed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} cannot be read as a log: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Write the log again with the tool that made it; nothing was imported.',
  })),
  'interchange.unrecognised': entry((v: { path: string; supported: string }) => ({
    message: `${v.path} is no log that Touchstone can read; supported: ${v.supported}.`,
    remedy: 'Name a file or folder of one of these formats.',
  })),
  'interchange.nothing': entry((v: { run: string }) => ({
    message: `The run ${v.run} holds no finished evaluation, so there is nothing to write.`,
    remedy: 'Choose a run of audit or eval that ended; touchstone ls lists them.',
  })),
  'case.changed': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is not what was signed: ${v.why}.`,
    remedy: 'Ask its author for the folder again, and do not rely on this one.',
  })),
  'case.key': entry((v: { path: string; why: string }) => ({
    message: `The key ${v.path} cannot be used: ${v.why}.`,
    remedy: 'Make a pair of keys with: touchstone case --new-key FILE.',
  })),
  'replay.not-possible': entry((v: { run: string; why: string }) => ({
    message: `The run ${v.run} cannot be repeated: ${v.why}.`,
    remedy: 'Choose a finished run of this version; touchstone ls lists them.',
  })),

  // ---- sweeps ----
  'sweep.plan': entry((v: { path: string; line: number; why: string }) => ({
    message: `${v.path}, line ${v.line}: this plan of a sweep cannot be used: ${v.why}.`,
    remedy: 'Plans are not edited by hand: run touchstone sweep again with other settings.',
  })),
  'sweep.no-cell': entry((v: { path: string; index: number; cells: number }) => ({
    message: `${v.path} holds ${v.cells} cells, and none has the index ${v.index}.`,
    remedy: `Give --index from 0 to ${Math.max(0, v.cells - 1)}.`,
  })),
  'sweep.changed': entry((v: { what: string }) => ({
    message: `${v.what} is not what it was when the sweep was planned.`,
    remedy: 'Put the files back, or run touchstone sweep again: it plans with what is there now.',
  })),
  'sweep.worker-died': entry((v: { how: string; said: string }) => ({
    message: `The process of this cell ended twice (${v.how})${v.said === '' ? '' : `: ${v.said}`}.`,
    remedy: 'Lower --jobs if memory is short, then run the same command with --retry-errors.',
  })),

  // ---- gates and comparisons ----
  'gate.unusable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is not a gate: ${v.why}.`,
    remedy:
      'Give a YAML or JSON file such as {"alpha": 0.05, "benchmarks": {"house-refusal": {"margin": 0.03}}}.',
  })),
  'gate.not-measured': entry(
    (v: { what: string; name: string; near: readonly string[]; known: readonly string[] }) => ({
      message: `The gate names the ${v.what} "${v.name}", which this run does not have.`,
      remedy: `${v.near.length > 0 ? `Did you mean ${v.near.join(' or ')}?` : `It has: ${v.known.join(', ')}.`} Name one that is measured, or add it with --suite or --judge.`,
    }),
  ),
  'compare.nothing-shared': entry((v: { before: string; after: string; why: string }) => ({
    message: `${v.before} and ${v.after} share nothing that could be compared: ${v.why}.`,
    remedy: 'Name two runs with the same benchmarks and judges, and choose arms with --arms.',
  })),

  // ---- runs and the store ----
  'run.not-found': entry((v: { run: string; where: string }) => ({
    message: `There is no run "${v.run}" in ${v.where}.`,
    remedy: 'List the runs with: touchstone ls --out-dir DIR.',
  })),
  'run.exists': entry((v: { path: string; why: string }) => ({
    message: `${v.path} already holds a run: ${v.why}.`,
    remedy: 'Add --resume to continue it, or choose another --out-dir.',
  })),
  'run.not-resumable': entry((v: { run: string; why: string }) => ({
    message: `The run ${v.run} cannot be resumed: ${v.why}.`,
    remedy: 'List the runs with touchstone ls, or leave --resume out to begin a new one.',
  })),
  'output.unwritable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be written: ${v.why}.`,
    remedy: 'Check the folder and the space on its disk, then run the same command with --resume.',
  })),
  'store.missing': entry((v: { path: string }) => ({
    message: `There is no database at ${v.path}.`,
    remedy: 'Check --out-dir; it must name the folder that an earlier run wrote to.',
  })),
  'store.newer': entry((v: { path: string; found: number; known: number }) => ({
    message: `${v.path} was written by a newer Touchstone (schema ${v.found}; this one knows ${v.known}).`,
    remedy: 'Open it with that version, or choose another --out-dir.',
  })),
  'store.unreadable': entry((v: { path: string; why: string }) => ({
    message: `The database ${v.path} cannot be used: ${v.why}.`,
    remedy: 'Restore it from a copy, or move it away and choose another --out-dir.',
  })),
  'store.busy': entry((v: { path: string }) => ({
    message: `Another process is writing to ${v.path}.`,
    remedy: 'Wait until it has ended, or choose another --out-dir.',
  })),
  'store.full': entry((v: { path: string }) => ({
    message: `The disk that holds ${v.path} is full.`,
    remedy: 'Free some space, then run the same command with --resume.',
  })),

  ...DATA_ERRORS,
  ...ENCODER_ERRORS,
  ...EXPORT_ERRORS,
  ...MEMORY_ERRORS,
  ...WORKBENCH_ERRORS,
} as const

export type ErrorCode = keyof typeof ERRORS
type Values<K extends ErrorCode> = Parameters<(typeof ERRORS)[K]>[0]

/** What the world did wrong: shown as `message`, then `remedy`, never with a stack. */
export class TouchstoneError<K extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'TouchstoneError'
  readonly code: K
  readonly remedy: string

  constructor(code: K, values: Values<K>, options?: ErrorOptions) {
    const { message, remedy } = (ERRORS[code] as (values: Values<K>) => Details)(values)
    super(message, options)
    this.code = code
    this.remedy = remedy
  }
}

/** The names in `known` that `name` may have meant: within edit distance 3, nearest first, at most three. */
/** `name` is none of `known`: the answer has the near ones. */
export function unknownName(kind: string, name: string, known: Iterable<string>): TouchstoneError {
  const names = [...known]
  const near = nearNames(name, names)
  return new TouchstoneError('usage.unknown-name', { kind, name, near, known: names })
}

/** The entry of a registry; an unknown name is the user's slip. */
export function findNamed<T extends { readonly name: string }>(
  kind: string,
  entries: readonly T[],
  name: string,
): T {
  const found = entries.find((entry) => entry.name === name)
  if (found) return found
  const known = entries.map((entry) => entry.name)
  throw unknownName(kind, name, known)
}

export function nearNames(name: string, known: Iterable<string>): string[] {
  return [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
    }
    row = next
  }
  return row[b.length]!
}
