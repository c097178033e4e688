/**
 * @file Names of registry entries that stand in other files too, in how many, and why: mostly stored values and ordinary words. The
 * list may only shrink.
 */

interface Excused {
  /** Files elsewhere than at home that have a string literal of this name. */
  readonly files: number
  readonly why: string
}

export const EXCUSED: Readonly<Record<string, Readonly<Record<string, Excused>>>> = {
  method: {
    lora: {
      files: 4,
      why: 'the bundled quickstart, a preset, the parity model and the first choice of the form',
    },
    ggpo: { files: 1, why: 'a preset compares the methods of one paper' },
    mgpo: { files: 1, why: 'a preset compares the methods of one paper' },
    full: { files: 2, why: 'the bundled quickstart; a depth of decomposition' },
  },
  operator: {
    inputs: { files: 1, why: 'an ordinary word: a column, a field or an input of that name' },
    input: { files: 4, why: 'an ordinary word: a column, a field or an input of that name' },
    constant: { files: 1, why: 'an ordinary word: a column, a field or an input of that name' },
    segments: { files: 2, why: 'an ordinary word: a column, a field or an input of that name' },
    parameters: { files: 2, why: 'an ordinary word: a column, a field or an input of that name' },
    stored: { files: 2, why: 'an ordinary word: a column, a field or an input of that name' },
    log: { files: 19, why: 'a type of event' },
    tanh: { files: 2, why: 'an activation in config.json' },
    silu: { files: 10, why: 'an activation in config.json' },
    gelu: { files: 4, why: 'an activation in config.json' },
    geluTanh: { files: 1, why: 'an activation in config.json' },
    after: { files: 3, why: 'an ordinary word: a column, a field or an input of that name' },
  },
  benchmark: {
    'mild-refusal': { files: 1, why: 'the file that is generated' },
    'mild-overrefusal': { files: 1, why: 'the file that is generated' },
    classes: { files: 3, why: 'the classes of an encoder, a column of a table' },
  },
  judge: {
    'refusal-logprob': { files: 1, why: 'a limit that is stated for this judge' },
    choice: { files: 10, why: 'the kind of an expected answer' },
  },
  family: {
    llama: { files: 3, why: 'a tokenizer model of GGUF' },
    mistral: { files: 1, why: 'the prompt style of a published judge' },
    qwen2: { files: 1, why: 'a tokenizer of GGUF' },
    gpt2: { files: 2, why: 'a tokenizer model of GGUF' },
  },
  verb: {
    quickstart: { files: 2, why: 'the preset of that name in the window' },
    audit: { files: 6, why: 'the stored kind of a run' },
    train: { files: 15, why: 'the stored kind of a run; the training direction of a graph' },
    eval: { files: 3, why: 'the stored kind of a run' },
    spectral: { files: 3, why: 'the stored kind of a run' },
    mitigate: { files: 1, why: 'the stored kind of a run' },
    sweep: { files: 5, why: 'the stored kind of a run' },
    data: { files: 13, why: 'a field and a channel of that name' },
    inspect: { files: 4, why: 'the name of a log format' },
    cell: { files: 8, why: 'a type of event' },
    report: { files: 3, why: 'a format that the window exports' },
    compare: { files: 2, why: 'a view of that name' },
    plan: { files: 3, why: 'the role of an artifact, a type of output' },
    case: { files: 3, why: 'a format that the window exports' },
    label: { files: 9, why: 'a column of that name' },
    serve: { files: 1, why: 'an ordinary word' },
  },
  'job of the window': {
    audit: { files: 6, why: 'the stored kind of a run' },
    train: { files: 14, why: 'the stored kind of a run' },
    eval: { files: 3, why: 'the stored kind of a run' },
    spectral: { files: 2, why: 'the stored kind of a run' },
    sweep: { files: 4, why: 'the stored kind of a run' },
  },
  view: {
    start: { files: 3, why: 'an ordinary word: a field or a table of that name' },
    data: { files: 14, why: 'a field, a channel and a verb of that name' },
    sweeps: { files: 2, why: 'an ordinary word: a field or a table of that name' },
    samples: { files: 6, why: 'an ordinary word: a field or a table of that name' },
    spectra: { files: 3, why: 'an ordinary word: a field or a table of that name' },
    talk: { files: 2, why: 'an ordinary word: a field or a table of that name' },
    jobs: { files: 4, why: 'a type of message' },
    house: { files: 7, why: 'the suite for Pebble' },
    job: { files: 2, why: 'an ordinary word: a field or a table of that name' },
    run: { files: 4, why: 'an ordinary word: a field or a table of that name' },
    compare: { files: 2, why: 'an ordinary word: a field or a table of that name' },
  },
  'export format': {
    inspect: { files: 5, why: 'a format of the contract, a verb and a log format' },
    junit: { files: 2, why: 'a format that the contract lists' },
    csv: { files: 6, why: 'a file format that is read' },
    jsonl: { files: 4, why: 'a file format that is read' },
    eee: { files: 3, why: 'a format that the contract lists and a log format' },
  },
}
