/** @file The names of the prepared sweeps, separate from their content so that the schema can use them. */
export const PRESET_NAMES = [
  'pebble-rank',
  'double-descent-rf',
  'double-descent-digits',
  'double-descent-digits-samples',
  'double-descent-digits-epochs',
  'double-descent-transformer',
  'double-descent-transformer-lora',
  'lora-ggpo',
  'pebble-noise',
  'refusal',
] as const
export type PresetName = (typeof PRESET_NAMES)[number]
