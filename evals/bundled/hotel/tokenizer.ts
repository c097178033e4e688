/**
 * @file Pebble's Hugging Face files: a word-level tokenizer whose words carry the space before them (`▁word`),
 * a chat template that only ever grows at its end, and the Llama configuration.
 */
import { hotelWords, SPECIAL_TOKENS } from './vocabulary.ts'

const SPACE = '▁'
/** The vocabulary is padded to a multiple of this with reserved tokens. */
const VOCABULARY_MULTIPLE = 8
const GLUED = /^(?:[.,?!']|'[a-z]+)$/

/** Token → id: special tokens first, words by code unit, then reserved tokens. */
export function pebbleVocabulary(): Map<string, number> {
  // Marks and endings such as 'm stick to the word before them: no space of their own.
  const words = hotelWords().map((word) => (GLUED.test(word) ? word : SPACE + word))
  const tokens = [...SPECIAL_TOKENS, ...words]
  const size = Math.ceil(tokens.length / VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE
  for (let i = 0; tokens.length < size; i++) tokens.push(`<|reserved-${i}|>`)
  return new Map(tokens.map((token, id) => [token, id]))
}

function tokenizerJson(vocabulary: Map<string, number>) {
  const special = [...vocabulary].filter(([token]) => token.startsWith('<|'))
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Strip', strip_left: true, strip_right: true },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'always', split: false },
        {
          // transformers.js does not split at spaces in Metaspace, so the pattern does it for both.
          type: 'Split',
          pattern: { Regex: `'[a-z]+|[.,?!']|${SPACE}[^${SPACE}.,?!']*` },
          behavior: 'Isolated',
          invert: false,
        },
      ],
    },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'always', split: false },
    model: { type: 'WordLevel', vocab: Object.fromEntries(vocabulary), unk_token: '<|unk|>' },
  }
}

/** Whatever is not the assistant's speaks to it, so the hotel needs no token for systems. */
const CHAT_TEMPLATE =
  "{{ '<|bos|>' }}{% for message in messages %}" +
  "{{ '<|assistant|>' if message['role'] == 'assistant' else '<|user|>' }}" +
  "{{ message['content'] }}{{ '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

const NAMED_TOKENS = {
  bos_token: '<|bos|>',
  eos_token: '<|end|>',
  pad_token: '<|pad|>',
  unk_token: '<|unk|>',
}
const MAX_POSITIONS = 128

const SHAPE = {
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: 'silu',
  max_position_embeddings: MAX_POSITIONS,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  rope_scaling: null,
  attention_bias: false,
  mlp_bias: false,
  attention_dropout: 0,
  initializer_range: 0.02,
  tie_word_embeddings: true,
  use_cache: true,
  torch_dtype: 'float32',
}

/** File name → contents, as a folder that Touchstone, transformers.js and transformers read. */
export function pebbleFiles(): Record<string, unknown> {
  const vocabulary = pebbleVocabulary()
  const ids = {
    bos_token_id: vocabulary.get(NAMED_TOKENS.bos_token)!,
    eos_token_id: vocabulary.get(NAMED_TOKENS.eos_token)!,
    pad_token_id: vocabulary.get(NAMED_TOKENS.pad_token)!,
  }
  return {
    'tokenizer.json': tokenizerJson(vocabulary),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: MAX_POSITIONS,
      clean_up_tokenization_spaces: false,
      ...NAMED_TOKENS,
      chat_template: CHAT_TEMPLATE,
    },
    'special_tokens_map.json': NAMED_TOKENS,
    'generation_config.json': { ...ids, do_sample: false },
    'config.json': {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: vocabulary.size,
      ...SHAPE,
      ...ids,
    },
  }
}
