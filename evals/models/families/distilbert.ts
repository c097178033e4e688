/** @file DistilBERT (arXiv:1910.01108): BERT's block under other names, without token types and without a pooler. */
import { z } from 'zod'
import { encoder } from '../encoder.ts'
import { classesIn, classFields, denseHead, namesHead } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { ACTIVATIONS, layerNorm, plainMlp, separateProjections } from '../parts.ts'

/** Constant in transformers, not in config.json. */
const EPSILON = 1e-12

const config = z.looseObject({
  ...classFields,
  dim: z.int().positive().max(65536).default(768),
  n_layers: z.int().positive().max(1024).default(6),
  n_heads: z.int().positive().max(4096).default(12),
  hidden_dim: z.int().positive().default(3072),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive().default(512),
  activation: z.enum(Object.keys(ACTIVATIONS) as ['gelu']).default('gelu'),
})

const architecture = encoder({
  name: 'distilbert',
  className: 'DistilBertForSequenceClassification',
  config,
  plan: (c) => ({
    hidden: c.dim,
    layers: c.n_layers,
    vocab: c.vocab_size,
    positionRows: c.max_position_embeddings,
    firstPosition: 0,
    tokenTypes: 0,
    names: {
      prefix: 'distilbert',
      embeddings: 'distilbert.embeddings',
      layers: 'distilbert.transformer.layer',
      attentionNorm: 'sa_layer_norm',
      mlpNorm: 'output_layer_norm',
    },
    norm: layerNorm(EPSILON),
    projections: separateProjections({
      hidden: c.dim,
      headDim: c.dim / c.n_heads,
      biased: true,
      names: {
        q: 'attention.q_lin',
        k: 'attention.k_lin',
        v: 'attention.v_lin',
        output: 'attention.out_lin',
      },
    }),
    mlp: plainMlp({
      hidden: c.dim,
      width: c.hidden_dim,
      activation: ACTIVATIONS[c.activation]!,
      up: 'ffn.lin1',
      down: 'ffn.lin2',
    }),
    head: denseHead({ dense: 'pre_classifier', output: 'classifier', activation: 'relu' }),
    classes: classesIn(c),
    namesHead: namesHead(c),
  }),
})

export const distilbert: ModelFamily = { architecture }
