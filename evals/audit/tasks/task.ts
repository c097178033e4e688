/**
 * @file The interface of a task: a small model that is no language model, what its base learns, what a fine-tune of it learns,
 * and on which rows gain, retention and robustness are measured. One file a task, one line in `registry.ts`.
 */
import type { TaskMeasured, TaskPart, TaskPicture } from '../../contract/tasks/task-rows.ts'
import type { NetworkState } from '../../inference/subject.ts'
import type { Ask } from '../../measure/ask.ts'
import type { MethodChoice } from '../../finetune/method-choice.ts'
import type { Example } from '../../finetune/training/dataset.ts'
import type { TrainingConfig } from '../../finetune/training/train.ts'
import type { JsonObject } from '../../files/read-file.ts'
import type { ModelArchitecture, WeightSpec } from '../../models/architecture.ts'
import type { RandomStream } from '../../statistics/random.ts'

/** One example: what the model is given, and its class, or numbers where the network names none. */
export interface TaskRow {
  readonly text: string
  readonly label: string
  readonly category: string
  /** The unit that intervals resample: a site, a transcript. */
  readonly cluster: string
}

/** What the registry holds without loading data. */
export interface TaskFacts {
  readonly name: string
  readonly title: string
  readonly paper: string
  /** What its base knows, what the fine-tune learns, one sentence each. */
  readonly about: string
  /** Networks of the base, the default first. */
  readonly bases: readonly string[]
  /** Of the base and of each arm. */
  readonly training: { readonly base: TaskTraining; readonly arm: TaskTraining }
  /** Why a method does not fit, by its name; all others run unchanged. */
  readonly unfit?: Readonly<Record<string, string>>
}

export type TaskTraining = Pick<TrainingConfig, 'steps' | 'batchSize' | 'learningRate'>

/** A model before any training: `config.json`, `tokenizer.json`, and how each weight begins. */
export interface NewModel {
  readonly config: JsonObject & { readonly model_type: string }
  readonly tokenizer: JsonObject
  readonly draw: (spec: WeightSpec, stream: RandomStream) => Float32Array
}

/** What the base learns before its classes, through an output of its own. */
export interface Pretraining {
  readonly training: TaskTraining
  readonly examples: readonly Example[]
  /** Hidden states `[rows, hidden]` → `[rows, labels]`. */
  readonly logits: ModelArchitecture['logits']
}

/** One part of what is measured. */
export interface MeasuredPart {
  readonly part: TaskPart
  readonly title: string
  readonly rows: readonly TaskRow[]
  /**
   * Scores of the classes for each row's text, where the network's outputs are none: samples are drawn in many calls, and read.
   */
  readonly read?: ReadOut
}

type ReadOut = (ask: Ask, texts: readonly string[]) => Promise<readonly (readonly number[])[]>

export interface MeasuredRow {
  /** Rows of one unit are drawn together. */
  readonly unit: string
  readonly numbers: readonly number[]
}

/** A number of each state beside the rates, with its bootstrap interval over units and its change from the base. */
export interface TaskNumber {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** Null where neither is good by itself. */
  readonly better: 'higher' | 'lower' | null
  /** Of rows that were drawn with repetition; null where it has no value. */
  readonly of: (rows: readonly (readonly number[])[]) => number | null
}

/** The state itself, where a measure computes with more than its outputs. */
export type OpenNetwork = () => Promise<NetworkState>

/** Numbers that are made of the same rows, which each state computes once. */
export interface TaskMeasure {
  readonly name: string
  /** Measured of the base alone: what it does as a teacher. */
  readonly ofBaseAlone?: true
  readonly rows: (ask: Ask, network: OpenNetwork) => Promise<readonly MeasuredRow[]>
  readonly numbers: readonly TaskNumber[]
  /** Stand with the first number. */
  readonly pictures?: (
    ask: Ask,
    network: OpenNetwork,
  ) => Promise<NonNullable<TaskMeasured['pictures']>>
}

export interface Companion {
  readonly method: MethodChoice
  readonly rows: readonly TaskRow[]
}

export interface PreparedTask {
  readonly model: NewModel
  readonly pretraining?: Pretraining
  /** Of the rows, said in the log. */
  readonly remarks?: readonly string[]
  /** What the base learns. */
  readonly baseRows: readonly TaskRow[]
  readonly armRows: readonly TaskRow[]
  readonly measured: readonly MeasuredPart[]
  /** Where the rows come from, and under which licence. */
  readonly data: { readonly source: string; readonly licence: string }
  readonly picture?: TaskPicture
  /** Of a network that gives numbers: how near they must be to count as right. */
  readonly aim?: { readonly within: number; readonly unit: string }
  readonly measures?: readonly TaskMeasure[]
  /** What the trained base makes, as the teacher of its fine-tunes. */
  readonly fromBase?: (
    ask: Ask,
    network: OpenNetwork,
    companion: NetworkState['weights'] | undefined,
  ) => Promise<Pick<PreparedTask, 'armRows' | 'measures'>>
  /** A fine-tune of the base that each arm is measured together with; trained once. */
  readonly companion?: Companion
}

interface TaskChoice {
  readonly base: string
  /** Of the base's weights and of the rows. */
  readonly seed: number
  /** The user's own rows; null for the bundled ones. */
  readonly file: string | null
  /** At most so many rows are read by the training of the base and of an arm, and measured of each part. */
  readonly reads: { readonly base: number; readonly arm: number; readonly each: number }
}

export interface Task {
  prepare(choice: TaskChoice): Promise<PreparedTask>
}

export interface TaskEntry extends TaskFacts {
  readonly load: () => Promise<Task>
}
