/** @file Names of registry entries that stand in other files too. The list may only shrink. */

/** `NAME in FILE` → why, by registry. */
export const EXCUSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  method: {
    'lora in evals/inspect/parity.ts': 'the model of the parity check has an adapter',
    'lora in evals/runs/kinds/quickstart.ts': 'the configuration of quickstart',
    'lora in renderer/views/FineTuneView.vue': 'the first choice of the form',
  },
  benchmark: {
    'mild-refusal in evals/bundled/make-data.ts': 'writes the rows of this benchmark',
    'mild-overrefusal in evals/bundled/make-data.ts': 'writes the rows of this benchmark',
  },
  judge: {
    'refusal-logprob in evals/findings/limits.ts': 'a limit that is stated for this judge',
  },
  family: {
    'llama in evals/bundled/hotel/tokenizer.ts': 'the bundled model is of this family',
    'gpt2 in evals/models/formats/gguf/tokenizer.ts': 'a tokenizer model of GGUF',
    'gpt2 in evals/models/formats/gguf/tokenizer-write.ts': 'a tokenizer model of GGUF',
    'llama in evals/models/formats/gguf/tokenizer.ts': 'a tokenizer model of GGUF',
    'llama in evals/models/formats/gguf/tokenizer-write.ts': 'a tokenizer model of GGUF',
    'qwen2 in evals/models/formats/gguf/tokenizer.ts': 'a pre-tokenizer of GGUF',
    'mistral in evals/judges/refusal-judges.ts': 'the phrase list of a paper, by its model',
  },
  'export format': {
    'eee in evals/contract/calls/runs.ts': 'the formats that the window may ask for',
    'junit in evals/contract/calls/runs.ts': 'the formats that the window may ask for',
    'eee in evals/interchange/eee-read.ts': 'a log format that is read',
    'eee in renderer/components/runs/ExportPanel.vue': 'the formats that the window offers',
    'junit in renderer/components/runs/ExportPanel.vue': 'the formats that the window offers',
  },
}
