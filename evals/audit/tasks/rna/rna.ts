/**
 * @file Long non-coding RNA against mRNA (Jeon et al. 2024): a small BERT over overlapping 3-mers, pretrained on masked runs of
 * the base's transcripts. Long transcripts are windows of at most 510 tokens; alike transcripts are one unit and stay together.
 * Beside the network stand two logistic regressions: longest open reading frame with GC content, and shares of 6-mers.
 */
import { BERT } from '../../../models/families/bert.ts'
import { encodeWhole } from '../../../models/text/whole-text.ts'
import {
  kmerTokenizer,
  kmerTokenizerJson,
  kmerVocabulary,
} from '../../../models/text/kmer-tokenizer.ts'
import { randomStream } from '../../../statistics/random.ts'
import { split } from '../task-file.ts'
import type { NewModel, PreparedTask, Pretraining, Task, TaskRow } from '../task.ts'
import { masked } from './masking.ts'
import { transcriptMeasure } from './measures.ts'
import { groupsOf } from './sequence.ts'
import { SMALL } from './rna-facts.ts'
import { K, WINDOW, windowsOf } from './windows.ts'
import { KINDS, madeTranscripts, misread, transcriptsIn, type Transcript } from './transcripts.ts'

const SIZE = { hidden: 64, layers: 2, heads: 4, inner: 256 }
const SMALL_SIZE = { hidden: 16, layers: 1, heads: 2, inner: 32 }
const COUNTS = { base: 360, arm: 120, gain: 120, retention: 120, shift: 120 }
const SPECIES = { known: 'species-a', learnt: 'species-b' } as const
/** Share of letters that are read wrong under the shift. */
const MISREAD = 0.02
const PRETRAINING = { steps: 60, batchSize: 16, learningRate: 0.002 }

interface Grouped {
  readonly transcript: Transcript
  /** Names the transcripts that are alike. */
  readonly group: string
}

function grouped(transcripts: readonly Transcript[]): Grouped[] {
  const groups = groupsOf(transcripts.map(({ sequence }) => sequence))
  const known = new Map<string, number>()
  transcripts.forEach(({ id }, i) => known.has(id) || known.set(id, i))
  // Ids of a file may repeat or be missing: the place then tells records apart.
  const nameOf = (at: number) => {
    const { id } = transcripts[at]!
    return id !== '' && known.get(id) === at ? id : `${id} (record ${at + 1})`
  }
  return transcripts.map((transcript, i) => ({ transcript, group: nameOf(groups[i]!) }))
}

const rowsOf = (transcripts: readonly Grouped[]): TaskRow[] =>
  transcripts.flatMap(({ transcript: { sequence, kind, species }, group }) =>
    windowsOf(sequence).map((text) => ({ text, label: kind, category: species, cluster: group })),
  )

const title = 'lncRNA or mRNA'

export const rna: Task = {
  async prepare({ seed, file, base: name, reads }): Promise<PreparedTask> {
    const made = (species: string, part: keyof typeof COUNTS) => {
      const read = part === 'base' || part === 'arm' ? reads[part] : reads.each
      return grouped(madeTranscripts(species, Math.min(COUNTS[part], read), seed, part))
    }
    const [base, arm] = [made(SPECIES.known, 'base'), made(SPECIES.learnt, 'arm')]
    const own = file === null ? undefined : await ownTranscripts(file, seed)
    const heldOut = own?.heldOut ?? made(SPECIES.learnt, 'gain')
    const where = own ? 'transcripts of the file' : 'another species'
    const [retention, shift] = [made(SPECIES.known, 'retention'), made(SPECIES.known, 'shift')]
    const baseRows = rowsOf(base)
    return {
      model: newModel(name === SMALL ? SMALL_SIZE : SIZE),
      pretraining: pretrainingOf(baseRows, seed),
      baseRows,
      armRows: rowsOf(own?.learnt ?? arm),
      ...(own && { remarks: own.remarks }),
      measured: [
        { part: 'gain', title: `${title}, ${where}`, rows: rowsOf(heldOut) },
        { part: 'retention', title: `${title}, the species known before`, rows: rowsOf(retention) },
        {
          part: 'shift',
          title: 'The same with 2 letters of 100 read wrong',
          rows: rowsOf(misreadAll(shift, seed)),
        },
      ],
      data: {
        source: 'made here: coding frames by codon usage, and the same letters shuffled',
        licence: 'none needed',
      },
      measures: [transcriptMeasure(heldOut.slice(0, reads.each), own?.learnt ?? [...base, ...arm])],
    }
  },
}

function misreadAll(transcripts: readonly Grouped[], seed: number): Grouped[] {
  const noise = randomStream(seed, 'rna:misread')
  return transcripts.map(({ transcript, group }) => ({
    transcript: { ...transcript, sequence: misread(transcript.sequence, MISREAD, noise) },
    group,
  }))
}

/** Four fifths of the groups are learnt, the others held out. */
async function ownTranscripts(path: string, seed: number) {
  const read = await transcriptsIn(path)
  const all = grouped(read.filter(({ sequence }) => sequence.length >= K))
  const rows = all.map(({ group }, i) => ({
    text: String(i),
    label: '',
    category: '',
    cluster: group,
  }))
  const { learnt, heldOut } = split(path, rows, seed)
  const of = (part: readonly TaskRow[]) => part.map(({ text }) => all[Number(text)]!)
  const odd = all.filter(({ transcript: { sequence } }) => sequence.includes('N')).length
  const short = read.length - all.length
  const remarks = [
    ...(odd > 0
      ? [
          `${path}: ${odd} of ${all.length} sequences hold letters beside A, C, G, T and U, which are read as unknown.`,
        ]
      : []),
    ...(short > 0
      ? [
          `${path}: ${short} of ${read.length} sequences were left out: they have fewer than ${K} letters.`,
        ]
      : []),
  ]
  return { learnt: of(learnt), heldOut: of(heldOut), remarks }
}

const EMBEDDING = `${BERT}.embeddings.word_embeddings.weight`

function pretrainingOf(rows: readonly TaskRow[], seed: number): Pretraining {
  const tokenizer = kmerTokenizer(K)
  const stream = randomStream(seed, 'rna:masks')
  return {
    training: PRETRAINING,
    examples: rows.map(({ text }) => {
      const { ids } = encodeWhole(tokenizer, text, WINDOW.tokens + 2)
      return masked(ids, K, tokenizer.vocabSize, stream)
    }),
    // The output shares the embedding's weights.
    logits: ({ g, weight }, hidden) => g.matMulT(hidden, weight(EMBEDDING)),
  }
}

const newModel = (size: typeof SIZE): NewModel => ({
  config: {
    model_type: BERT,
    architectures: ['BertForSequenceClassification'],
    vocab_size: kmerVocabulary(K),
    hidden_size: size.hidden,
    num_hidden_layers: size.layers,
    num_attention_heads: size.heads,
    intermediate_size: size.inner,
    max_position_embeddings: WINDOW.tokens + 2,
    type_vocab_size: 1,
    id2label: Object.fromEntries(KINDS.entries()),
    num_labels: KINDS.length,
  },
  tokenizer: kmerTokenizerJson(K),
  /** Norms begin as the identity, biases at 0, matrices as N(0, 0.02²), as in BERT. */
  draw({ name, shape, kind }, stream) {
    const length = shape.reduce((product, size) => product * size, 1)
    if (kind === 'norm') return new Float32Array(length).fill(1)
    if (name.endsWith('.bias')) return new Float32Array(length)
    return Float32Array.from({ length }, () => 0.02 * stream.normal())
  },
})
