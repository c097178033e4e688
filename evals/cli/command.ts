/** @file Commands, and the mechanism that makes one of a schema and a function. */
import type { z } from 'zod'
import { json } from '../runs/options/common.ts'
import { EXIT } from '../runs/options/exit-codes.ts'
import { fieldsOf, type Field } from '../runs/options/fields.ts'
import { parseNamed } from '../runs/options/flags.ts'

/** The part of a stream that commands use. */
interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Io {
  /** Results; with `--json`, JSON lines and nothing else. */
  readonly stdout: Stream
  /** Progress, warnings and errors. */
  readonly stderr: Stream
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface OptionGroup {
  readonly title: string
  readonly fields: readonly Field[]
}

interface Described {
  /** Positional arguments as help shows them: `[RUN]`; one that ends in `…` may be repeated. */
  readonly positionals?: string
  readonly examples: readonly string[]
  /** What help says beyond the summary and the options. */
  readonly remark?: string
}

export interface Command extends Described {
  readonly options: readonly OptionGroup[]
  /** Resolves to the exit code; `main` turns what it throws into words and a code. */
  run(argv: readonly string[], io: Io): Promise<number>
}

/** A line of the registry. Commands are loaded by name: `doctor` must run where ONNX Runtime cannot be loaded. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Writes an outcome: `value` as a line of JSON with `--json`, `words` without. */
export type Tell = (value: unknown, words: string) => void

interface Call<C> {
  readonly options: C & { readonly json: boolean }
  /** Positional arguments, at most as many as `positionals` names. */
  readonly named: readonly string[]
  readonly io: Io
  readonly tell: Tell
}

interface Verb<C> extends Described {
  readonly schema: z.ZodObject & z.ZodType<C>
  /** Resolves to the exit code where it is not 0. */
  readonly run: (call: Call<C>) => Promise<number | void>
}

/** A verb of one schema, `--json` added. */
export function command<C>({ schema, run, ...described }: Verb<C>): Command {
  const withJson = schema.extend({ json })
  const fields = fieldsOf(withJson)
  const { positionals } = described
  const most = positionals?.endsWith('…') ? Infinity : (positionals?.split(' ').length ?? 0)
  return {
    ...described,
    options: [{ title: 'Options', fields }],
    async run(argv, io) {
      const { options, named } = parseNamed(withJson, fields, argv, { ...io, most })
      const tell = (value: unknown, words: string) =>
        void io.stdout.write(options.json ? `${JSON.stringify(value)}\n` : words)
      const code = await run({ options: options as Call<C>['options'], named, io, tell })
      return code ?? EXIT.ok
    },
  }
}
