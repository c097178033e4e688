/** @file What the house still tolerates. Every list here may only shrink. */

/** Folders of more than 25 files, and how many each has. */
export const CROWDED_FOLDERS: Readonly<Record<string, number>> = {}

/** Functions of more than 40 lines. */
export const LONG_FUNCTIONS: readonly string[] = [
  'evals/bundled/initialise.ts initialLlama',
  'evals/models/formats/gguf/header.ts createReader',
  'evals/models/text/chat-template.ts startThread',
  'evals/models/weight-list.ts createWeightList',
  'evals/tables/rows/json.ts createCutter',
  'renderer/composables/use-run-events.ts useRunEvents',
]

/** Circles of more than three files, by their first file and how many they are. */
export const CIRCLES: Readonly<Record<string, number>> = {}
