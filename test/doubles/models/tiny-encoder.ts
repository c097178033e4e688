/** @file A random BERT of a few thousand weights as a Hugging Face folder, with or without a head that names classes. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  writeSafetensors,
  type TensorToWrite,
} from '../../../evals/models/formats/safetensors-write.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

interface TinyEncoder {
  readonly hidden: number
  readonly layers: number
  /** Names of classes; without them it is a bare model, whose weights lack the prefix. */
  readonly classes: readonly string[]
  readonly seed: number
}

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const WORDS =
  'where is the pool when does it open close breakfast was cold and late room dirty loud thank you all lovely stay great nice . ?'

export async function writeTinyEncoder(
  folder: string,
  options: Partial<TinyEncoder> = {},
): Promise<string> {
  const tiny = { hidden: 16, layers: 2, classes: [], seed: 1, ...options }
  const json = (name: string, value: unknown) =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  await mkdir(folder, { recursive: true })
  const tokenizer = wordPieces()
  const vocab = Object.keys(tokenizer.model.vocab).length
  await json('config.json', configOf(tiny, vocab))
  await json('tokenizer.json', tokenizer)
  await json('tokenizer_config.json', { pad_token: '[PAD]', sep_token: '[SEP]' })
  await writeSafetensors(join(folder, 'model.safetensors'), weightsOf(tiny, vocab), {
    format: 'pt',
  })
  return folder
}

/** A golden encoder (test/golden) as a bare model: its head is there, and `architectures` says that it does not count. */
export async function writeGoldenEncoder(folder: string, fixture: string): Promise<string> {
  const from = join(import.meta.dirname, '../../golden/fixtures', fixture)
  await writeTinyEncoder(folder)
  await copyFile(join(from, 'model.safetensors'), join(folder, 'model.safetensors'))
  const config = JSON.parse(await readFile(join(from, 'config.json'), 'utf8')) as object
  const bare = { ...config, architectures: ['AModelForSomethingElse'], id2label: undefined }
  await writeFile(join(folder, 'config.json'), JSON.stringify(bare))
  return folder
}

const configOf = ({ hidden, layers, classes }: TinyEncoder, vocab: number) => ({
  model_type: 'bert',
  architectures: [classes.length > 0 ? 'BertForSequenceClassification' : 'BertModel'],
  hidden_size: hidden,
  num_hidden_layers: layers,
  num_attention_heads: 2,
  intermediate_size: 2 * hidden,
  vocab_size: vocab,
  max_position_embeddings: 32,
  ...(classes.length > 0 && { id2label: Object.fromEntries(classes.entries()) }),
})

function wordPieces() {
  const pieces = [...SPECIAL, ...WORDS.split(' '), '##s', '##ing']
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]))
  const special = (id: string) => ({ id, ids: [vocab[id]], tokens: [id] })
  const token = (id: string, type = 0) => ({ SpecialToken: { id, type_id: type } })
  const text = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } })
  const single = [token('[CLS]'), text('A', 0), token('[SEP]')]
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false }
  return {
    version: '1.0',
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, ...flags })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      lowercase: true,
      handle_chinese_chars: true,
      strip_accents: null,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), token('[SEP]', 1)],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
    model: {
      type: 'WordPiece',
      vocab,
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  }
}

function weightsOf({ hidden, layers, classes, seed }: TinyEncoder, vocab: number): TensorToWrite[] {
  const prefix = classes.length > 0 ? 'bert.' : ''
  const random = (name: string, shape: readonly number[]): TensorToWrite => {
    const stream = randomStream(seed, name)
    const isScale = shape.length === 1 && !name.endsWith('bias')
    const length = shape.reduce((product, size) => product * size, 1)
    const draw = () => (isScale ? 1 : 0) + 0.2 * stream.normal()
    return { name, shape, data: Float32Array.from({ length }, draw) }
  }
  const linear = (name: string, out: number, input: number) => [
    random(`${name}.weight`, [out, input]),
    random(`${name}.bias`, [out]),
  ]
  const norm = (name: string) =>
    ['weight', 'bias'].map((part) => random(`${name}.${part}`, [hidden]))
  const embeddings = `${prefix}embeddings`
  const blocks = Array.from({ length: layers }, (_, i) => `${prefix}encoder.layer.${i}`)
  return [
    random(`${embeddings}.word_embeddings.weight`, [vocab, hidden]),
    random(`${embeddings}.position_embeddings.weight`, [32, hidden]),
    random(`${embeddings}.token_type_embeddings.weight`, [2, hidden]),
    ...norm(`${embeddings}.LayerNorm`),
    ...blocks.flatMap((block) => [
      ...['query', 'key', 'value'].flatMap((part) =>
        linear(`${block}.attention.self.${part}`, hidden, hidden),
      ),
      ...linear(`${block}.attention.output.dense`, hidden, hidden),
      ...norm(`${block}.attention.output.LayerNorm`),
      ...linear(`${block}.intermediate.dense`, 2 * hidden, hidden),
      ...linear(`${block}.output.dense`, hidden, 2 * hidden),
      ...norm(`${block}.output.LayerNorm`),
    ]),
    ...linear(`${prefix}pooler.dense`, hidden, hidden),
    ...(classes.length > 0 ? linear('classifier', classes.length, hidden) : []),
  ]
}
