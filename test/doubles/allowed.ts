/** @file What the house still tolerates. Every list here may only shrink. */

/** Folders of more than 25 files, and how many each has. */
export const CROWDED_FOLDERS: Readonly<Record<string, number>> = {
  'renderer/components': 60,
  'test/bench': 36,
  'test/doubles': 44,
}

/** Functions of more than 40 lines. */
export const LONG_FUNCTIONS: readonly string[] = [
  'evals/engine/handlers/data.ts dataHandlers',
  'evals/engine/handlers/results.ts resultHandlers',
  'evals/engine/handlers/talk.ts talkHandlers',
  'evals/engine/jobs.ts createJobs',
  'evals/findings/gate/claim.ts tested',
  'evals/findings/labelling.ts drawItems',
  'evals/findings/results.ts buildResults',
  'evals/finetune/training/learner.ts hostLearner',
  'evals/finetune/training/train-graph.ts openTraining',
  'evals/graph/builder.ts createCore',
  'evals/graph/encode.ts encode',
  'evals/measure/candidate.ts openCandidate',
  'evals/models/families/gpt-neox.ts plan',
  'evals/models/families/gpt2.ts plan',
  'evals/models/formats/gguf/header.ts createReader',
  'evals/models/formats/gguf/rotary.ts rotary',
  'evals/models/formats/onnx/folder.ts openOnnx',
  'evals/models/formats/onnx/genai-config.ts genaiConfig',
  'evals/models/scope.ts createScope',
  'evals/models/text/chat-template.ts createWatchdog',
  'evals/models/text/chat-template.ts startThread',
  'evals/models/weight-list.ts createWeightList',
  'evals/runtime/resident-memory.ts residentMemory',
  'evals/runtime/session.ts createRunner',
  'evals/spectra/decomposition/inverse-iteration.ts solveShifted',
  'evals/statistics/random.ts randomStream',
  'evals/sweeps/cells/workers.ts createFloor',
  'evals/sweeps/detectors/peak.ts testForPeak',
  'evals/sweeps/job.ts surveyed',
  'evals/sweeps/testbeds/iris-mlp.ts trial',
  'evals/tables/rows/json.ts createCutter',
  'renderer/charts/spectrum.ts alignmentChart',
  'renderer/composables/use-run-events.ts useRunEvents',
]

/** Circles of more than three files, by their first file and how many they are. */
export const CIRCLES: Readonly<Record<string, number>> = {
  'evals/graph/builder.ts': 13,
  'evals/models/architecture.ts': 35,
  'evals/inference/generate.ts': 4,
  'evals/arms/arm-adapter.ts': 5,
}
