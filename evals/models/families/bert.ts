/**
 * @file BERT (arXiv:1810.04805) and models of its shape, such as MiniLM (2002.10957). RoBERTa (1907.11692): the same body,
 * positions counted from the row after padding's, another head.
 */
import { z } from 'zod'
import { encoder, type EncoderPlan } from '../encoder.ts'
import { classesIn, classFields, denseHead, namesHead } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { ACTIVATIONS, layerNorm, plainMlp, separateProjections } from '../parts.ts'

export const BERT = 'bert'

const fields = {
  ...classFields,
  hidden_size: z.int().positive().max(65536),
  num_hidden_layers: z.int().positive().max(1024),
  num_attention_heads: z.int().positive().max(4096),
  intermediate_size: z.int().positive(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive().default(512),
  type_vocab_size: z.int().positive().default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: z.enum(Object.keys(ACTIVATIONS) as ['gelu']).default('gelu'),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
}
const bertConfig = z.looseObject(fields)
const robertaConfig = bertConfig.extend({
  // The row of padding; texts start at the next one.
  pad_token_id: z.int().min(0).nullish(),
})

function body(c: z.infer<typeof bertConfig>, prefix: string): Omit<EncoderPlan, 'head'> {
  const hidden = c.hidden_size
  return {
    hidden,
    layers: c.num_hidden_layers,
    vocab: c.vocab_size,
    positionRows: c.max_position_embeddings,
    firstPosition: 0,
    tokenTypes: c.type_vocab_size,
    names: {
      prefix,
      embeddings: `${prefix}.embeddings`,
      layers: `${prefix}.encoder.layer`,
      attentionNorm: 'attention.output.LayerNorm',
      mlpNorm: 'output.LayerNorm',
    },
    norm: layerNorm(c.layer_norm_eps),
    projections: separateProjections({
      hidden,
      headDim: hidden / c.num_attention_heads,
      biased: true,
      names: {
        q: 'attention.self.query',
        k: 'attention.self.key',
        v: 'attention.self.value',
        output: 'attention.output.dense',
      },
    }),
    mlp: plainMlp({
      hidden,
      width: c.intermediate_size,
      activation: ACTIVATIONS[c.hidden_act]!,
      up: 'intermediate.dense',
      down: 'output.dense',
    }),
    classes: classesIn(c),
    namesHead: namesHead(c),
  }
}

const bertBase = encoder({
  name: BERT,
  className: 'BertForSequenceClassification',
  config: bertConfig,
  plan: (c) => ({
    ...body(c, 'bert'),
    head: denseHead({
      dense: 'bert.pooler.dense',
      output: 'classifier',
      activation: 'tanh',
      pretrained: true,
    }),
  }),
})

const roberta = encoder({
  name: 'roberta',
  className: 'RobertaForSequenceClassification',
  config: robertaConfig,
  plan: (c) => ({
    ...body(c, 'roberta'),
    firstPosition: (c.pad_token_id ?? 1) + 1,
    head: denseHead({
      dense: 'classifier.dense',
      output: 'classifier.out_proj',
      activation: 'tanh',
    }),
  }),
})

export const bert: readonly ModelFamily[] = [{ architecture: bertBase }, { architecture: roberta }]
