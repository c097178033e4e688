/** @file What `inspect` found, in words. Names and texts of strangers are made plain before they are shown. */
import type {
  AdapterInspection,
  Inspection,
  ModelInspection,
  ModuleFacts,
} from '../inspect/inspect-model.ts'
import { wholeNumber } from '../contract/words.ts'
import { label, section, table } from './blocks.ts'
import { terminalText } from './terminal.ts'

const GIBIBYTE = 2 ** 30
const MEBIBYTE = 2 ** 20
const sized = (bytes: number): string =>
  bytes >= GIBIBYTE
    ? `${(bytes / GIBIBYTE).toFixed(2)} GiB`
    : `${(bytes / MEBIBYTE).toFixed(2)} MiB`

/** A fact without a text is left out. */
type Fact = readonly [title: string, text: string | null]

export function inspectionText(path: string, found: Inspection): string {
  const facts = found.kind === 'model' ? modelFacts(found) : adapterFacts(found)
  const what = found.kind === 'adapter' ? 'an adapter' : FORMATS[found.format]
  const columns = [label<Fact>('', ([title]) => title), label<Fact>('', ([, text]) => text)]
  const told = facts.filter(([, text]) => text !== null)
  return terminalText(section(`${path}: ${what}`, table(told, columns)))
}

const FORMATS = {
  safetensors: 'a Hugging Face folder',
  gguf: 'a GGUF file',
  onnx: 'a folder with an ONNX graph',
} as const

function modelFacts(found: ModelInspection): Fact[] {
  const { weights, tokenizer, template, licence, digest, problems } = found
  return [
    ...(weights ? weightFacts(weights) : []),
    ['tokenizer', tokenizer && `${tokenizer.vocabulary} tokens, sha256 ${tokenizer.digest}`],
    ['special', tokenizer && specialText(found, tokenizer)],
    ['template', template && `${template.source}, sha256 ${template.digest}`],
    ...(template?.example.split('\n') ?? []).map((text): Fact => ['', `| ${text}`]),
    ['licence', licence ?? 'none stated'],
    ['sha256', digest],
    ['problems', problems.length === 0 ? 'none' : null],
    ...problems.map(({ message, remedy }): Fact => ['problem', `${message} ${remedy}`]),
  ]
}

function weightFacts(weights: NonNullable<ModelInspection['weights']>): Fact[] {
  const { architecture, modelType, layers, parameters, bytes, storage, memory } = weights
  const { maxPositions, classes } = weights
  const known = architecture ?? `none of ours (model_type ${modelType})`
  const parts = storage.map((each) => `${each.type} ${sized(each.bytes)}`)
  const peaks = memory && `LoRA about ${sized(memory.lora)}, full about ${sized(memory.full)}`
  return [
    ['family', `${known}, ${layers} layers, ${wholeNumber(parameters)} parameters`],
    ['stored', `${sized(bytes)}: ${parts.join(', ')}`],
    ['context', maxPositions === null ? null : `${maxPositions} tokens`],
    ['classes', classes && classText(classes)],
    ['memory', peaks && `${peaks}, in steps of 8 × 128 tokens`],
    ...moduleFacts(weights.modules),
  ]
}

const classText = (classes: readonly string[]): string =>
  classes.length > 0 ? classes.join(', ') : 'none: an encoder without a classification head'

const specialText = (
  { weights }: ModelInspection,
  { special, endIds }: NonNullable<ModelInspection['tokenizer']>,
): string =>
  [
    ...Object.entries(special).map(([name, text]) => `${name.replace(/_token$/u, '')} ${text}`),
    // An encoder writes no reply that could end.
    ...(weights?.classes
      ? []
      : [`replies end at ${endIds.length > 0 ? endIds.join(', ') : 'nothing'}`]),
  ].join(', ')

const moduleFacts = (modules: readonly ModuleFacts[]): Fact[] =>
  modules.map(({ name, shape, storage, count }, i) => [
    i === 0 ? 'modules' : '',
    `${name} [${shape.join(', ')}] ${storage} × ${count}`,
  ])

function adapterFacts(found: AdapterInspection): Fact[] {
  const { form, rank, alpha, scale, base, targetModules, parameters, bytes, digest } = found
  return [
    ['form', `${form}, rank ${rank}, alpha ${alpha}, scale ${scale}`],
    ['base', base === '' ? 'not stated' : base],
    ['targets', targetModules.join(', ')],
    ['stored', `${wholeNumber(parameters)} parameters, ${sized(bytes)}`],
    ...moduleFacts(found.modules),
    ['sha256', digest],
    ...found.warnings.map((warning): Fact => ['warning', warning]),
  ]
}
