/**
 * @file No key of a config.json is ignored silently: each is read by its family, listed here because no forward pass depends on
 * it, off (null or false), or refused. The list covers the configuration classes of transformers 5.24 and what published files hold.
 */
import type { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** About files, training, generation, other heads, and dropout, which is off when a model is measured. */
const HARMLESS = new Set(
  `
  model_type tie_word_embeddings architectures transformers_version torch_dtype dtype _name_or_path _commit_hash auto_map
  _attn_implementation _attn_implementation_autoset attn_implementation transformers.js_config license
  use_cache cache_implementation return_dict use_return_dict output_attentions output_hidden_states
  output_scores return_dict_in_generate torchscript gradient_checkpointing chunk_size_feed_forward
  initializer_range initializer_factor problem_type finetuning_task task_specific_params num_labels
  id2label label2id is_encoder_decoder is_decoder cross_attention_hidden_size tie_encoder_decoder pruned_heads
  bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id cls_token_id mask_token_id
  decoder_start_token_id forced_bos_token_id forced_eos_token_id tokenizer_class prefix
  temperature top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size
  encoder_no_repeat_ngram_size bad_words_ids suppress_tokens begin_suppress_tokens min_length max_length
  do_sample num_beams num_beam_groups diversity_penalty early_stopping num_return_sequences
  remove_invalid_values exponential_decay_length_penalty max_new_tokens tf_legacy_loss use_bfloat16
  attention_dropout hidden_dropout dropout embd_pdrop resid_pdrop attn_pdrop classifier_dropout
  attention_probs_dropout_prob hidden_dropout_prob qa_dropout seq_classif_dropout
  summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj
  output_router_logits router_aux_loss_coef router_jitter_noise neftune_noise_alpha
  pretraining_tp n_ctx is_llama_config rope_interleaved max_window_layers sliding_window_size
  reorder_and_upcast_attn full_attn_mod interpolate_factor unsloth_fixed unsloth_version
  directionality pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head
  pooler_type sinusoidal_pos_embds gpt_neox_layer_norm
  `
    .trim()
    .split(/\s+/u),
)

const isOff = (value: unknown) => value === null || value === false

/** Throws for a key that would change what the model computes, for all that is known. */
export function requireKnownKeys(
  config: Readonly<Record<string, unknown>>,
  schema: z.ZodType,
  path: string,
): void {
  const read = (schema as z.ZodObject).shape
  const unread = Object.keys(config).find(
    (key) => !(key in read) && !HARMLESS.has(key) && !isOff(config[key]),
  )
  if (unread === undefined) return
  throw unsupportedSetting(path, `${unread}: ${shown(config[unread])}`, 'the model without it')
}

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 80)

const unsupportedSetting = (path: string, found: string, supported: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path: `${path} (config.json)`,
    what: 'the setting',
    found,
    supported,
  })

/** A setting whose value another family or a newer transformers knows, told apart from one that is broken. */
export function settingNotSupported(
  { issues }: z.ZodError,
  config: Readonly<Record<string, unknown>>,
  path: string,
): TouchstoneError | undefined {
  const issue = issues.find(({ code, path: [key, ...inner] }) => {
    const value = config[String(key)]
    return code === 'invalid_value' && inner.length === 0 && value !== undefined
  })
  if (issue?.code !== 'invalid_value') return undefined
  const key = String(issue.path[0])
  const supported = issue.values.map((value) => shown(value)).join(' or ')
  return unsupportedSetting(path, `${key}: ${shown(config[key])}`, supported)
}
