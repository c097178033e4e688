/**
 * @file What a comparison needs of a run, from our own database or from another tool's log.
 * A reader makes one `ComparedRun` for each model state; unknown fields are null, never guessed.
 */
import type { ReplyWords } from './judges/reply-words.ts'
import type { MeasuredNoise } from '../../contract/gate.ts'
import type { Looks } from '../../contract/gate/stopping.ts'
import type { AskedContext, BenchmarkRole, Outcome } from '../../contract/rows.ts'

/** Decoding settings; null where the log lacks them. */
export interface Decoding {
  readonly maxNewTokens: number | null
  readonly temperature: number | null
  readonly seed: number | null
  readonly maxThinkingTokens?: number | null
}

/** Where a state stopped: `at` counts looks from 0. */
export interface Stopped extends Looks {
  readonly at: number
}

export interface ComparedBenchmark {
  readonly name: string
  readonly title: string
  readonly role: BenchmarkRole
  /** Digest over the ordered prompts; null where the log lacks it. */
  readonly promptSetDigest: string | null
  readonly decoding: Decoding
  /** The rate of right answers by guessing; absent where nothing says so. */
  readonly chance?: number
  /** The share of prompts to which the most frequent answer is right: what always says the same gets it. */
  readonly sameAnswer?: number
  /** Of a fine-tune's own task: the rate must rise by more than this; null or absent of any other. */
  readonly gain?: number | null | undefined
  /** Replies that there should be, prompts times samples of each; null or absent where nothing says so. */
  readonly replies?: number | null
  /** By judge, how many of these it is not asked about. */
  readonly unfit?: Readonly<Record<string, number>>
  /** In which its prompts were put; absent for the prompts as the benchmark has them. */
  readonly context?: AskedContext
  /** Where it was looked at on the way; absent where every prompt was asked at once. */
  readonly stopped?: Stopped
  /** Of a log that a run with looks was exported as, which does not hold them: "pocock, at look 2 of 5, …". */
  readonly looks?: string
}

/** One judge's outcome for one reply. Rows of two runs are paired by benchmark, judge, sample and epoch. */
export interface ComparedJudgement {
  readonly benchmark: string
  readonly role: BenchmarkRole
  readonly judge: string
  readonly judgeVersion: string
  readonly sampleId: string
  /** Index of a repeated reply to one prompt, from 0. */
  readonly epoch: number
  readonly category: string
  /** The template, document or conversation that the prompt comes from; absent where it stands by itself. */
  readonly cluster?: string
  /** Whether `cluster` is the number of a document or the like, which need not be meant as a cluster. */
  readonly isClusterImplied?: boolean
  /** What the prompt was given in, by name; absent for the prompt as the benchmark has it. */
  readonly context?: string
  readonly outcome: Outcome
  /** What the judge says where a label stands in `outcome`: of a reply that people chose to look at. */
  readonly judgedAs?: Outcome
  /** Whether the token limit ended the reply; absent where the log does not say. */
  readonly isCut?: boolean
  /** Whether the reply begins with a thought; absent where the log does not say. */
  readonly hasThought?: boolean
  /** Of the reply's text; absent where it is not at hand. Stays in this process: replies may be withheld. */
  readonly replyDigest?: string
  /** Of a reply to a harmless prompt, where its text is at hand. */
  readonly words?: () => ReplyWords
  /** What nothing in the run confirms of what the judge says of it (`confirm.ts`). */
  readonly unconfirmed?: Unconfirmed
  /** Digest of the prompt as the model saw it, or of the document (`doc_hash`); null where unknown. */
  readonly promptDigest: string | null
  /** Shown beside a flip; null where it must not be shown or is not known. */
  readonly prompt: string | null
}

/** That it does no harm, or that it mends what was harm before. */
export type Unconfirmed = 'harmless' | 'gain'

/** What people say of a reply that was drawn for them. */
export interface LabelledReply {
  readonly benchmark: string
  readonly sampleId: string
  readonly epoch: number
  readonly context?: string
  /** Null where nobody labelled it, or no outcome has most raters. */
  readonly outcome: Outcome | null
  readonly isChosen: boolean
  /** The judge within whose verdicts it was drawn at random; null where it was not. */
  readonly drawnBy: string | null
  /** Raters looked at it and do not say what it is: they differ, or call it undecided. */
  readonly isUnclear?: boolean
  /** What each rater says; absent where nothing tells raters apart. */
  readonly said?: ReadonlyMap<string, Outcome>
}

/** A model behind an address, of which nobody sees the weights. */
export interface ServedState {
  readonly addresses: readonly string[]
  readonly fingerprint: string | null
  /** Of its run's base, by the names in `replies`: whether a prompt had the same words each time that it was asked again. */
  readonly again: ReadonlyMap<string, boolean>
}

/** Of a reply, whatever its spaces and case; of scores finer than right or wrong, where a log holds these and no reply. */
export interface Wording {
  readonly of: 'reply' | 'scores'
  readonly digest: string
}

/** One evaluated model state. */
export interface ComparedRun {
  /** A run's id, or a name that identifies the log. */
  readonly runId: string
  /** The tool that wrote it: `touchstone`, `inspect`, `lm-eval`, … */
  readonly format: string
  /** The file or folder it was read from, as the user named it. */
  readonly origin: string
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly title: string
  /** One name for its weights (`weightsOf`); absent where nothing says it, and of a training. */
  readonly weights?: string
  readonly templateDigest: string | null
  readonly tokenizerDigest: string | null
  /** Whether prompts leave room for a thought; null or absent where the model does not think or the log does not say. */
  readonly thinking?: 'on' | 'off' | null
  /** How its answers are approximate by its own configuration; null or absent where nothing says so. */
  readonly products?: 'rounded to int8' | null
  /** What keys and values were kept in; null or absent for float32, and where the log does not say. */
  readonly cachePrecision?: string | null
  /** Why nothing of it was measured; absent where something was. */
  readonly unmeasured?: string
  /** How its rows are not those that were written; absent where they are, and of logs. */
  readonly changed?: string
  readonly benchmarks: readonly ComparedBenchmark[]
  readonly judged: readonly ComparedJudgement[]
  /** Absent where the model ran beside Touchstone, and in logs. */
  readonly served?: ServedState
  /** Digests of its replies by benchmark with context, sample and epoch; absent where they are not at hand. Stays in this process. */
  readonly replies?: () => ReadonlyMap<string, string>
  /** By the same names: the digests by which logs are told apart. Stays in this process. */
  readonly wordings?: () => ReadonlyMap<string, Wording>
  /** Of a log whose tool keeps replies in a cache: names by which it keeps them, and how many replies came, or may have come, from it. */
  readonly provided?: { readonly names: readonly string[]; readonly fromCache: number }
  /** Of a log: ids that its tool draws at random for each row, with the prompt's name; absent where it draws none. Stays in this process. */
  readonly rowIds?: () => ReadonlyMap<string, string>
  /** How far identical runs of its base differ; absent where the model ran beside Touchstone, and in logs. */
  readonly noise?: readonly MeasuredNoise[]
  /** Judges that may contest a claim of another: all but baselines. Absent in logs, whose metrics ask different questions. */
  readonly contesting?: readonly string[]
  /** Of judges that read replies, the family by name: one of another family may confirm a judge's word. Absent in logs. */
  readonly families?: Readonly<Record<string, string>>
  /** Absent where nobody labelled a reply of this state. */
  readonly labels?: readonly LabelledReply[]
}
