/** @file What a command is, and what it may touch of the outside. */
import type { Field } from '../runs/options/fields.ts'

/** A stream as far as commands need one. */
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

export interface Command {
  readonly name: string
  readonly summary: string
  /** As help shows them: `[RUN]`. */
  readonly positionals?: string
  readonly examples: readonly string[]
  readonly options: readonly OptionGroup[]
  /** A line of help that the options cannot carry. */
  readonly remark?: string
  /** Resolves to the exit code; throws what `main` turns into words and a code. */
  run(argv: readonly string[], io: Io): Promise<number>
}

/** Loaded when it is named, so that `doctor` runs where ONNX Runtime cannot even be loaded. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<Command>
}
