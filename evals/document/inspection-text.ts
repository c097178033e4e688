/** @file What `inspect` found, in words. Names and texts of strangers are made plain before they are shown. */
import type {
  AdapterInspection,
  Inspection,
  ModelInspection,
  ModuleFacts,
} from '../inspect/inspect-model.ts'
import { plainText } from './plain-text.ts'

const GIBIBYTE = 2 ** 30
const MEBIBYTE = 2 ** 20
const sized = (bytes: number): string =>
  bytes >= GIBIBYTE
    ? `${(bytes / GIBIBYTE).toFixed(2)} GiB`
    : `${(bytes / MEBIBYTE).toFixed(2)} MiB`

/** Behind their titles, so that the second column stands straight. */
const line = (title: string, text: string): string => `  ${title.padEnd(12)}${plainText(text, 400)}`

export function inspectionText(path: string, found: Inspection): string {
  const lines = found.kind === 'model' ? modelLines(found) : adapterLines(found)
  const what = found.kind === 'adapter' ? 'an adapter' : FORMATS[found.format]
  return `${[`${plainText(path, 4000)}: ${what}`, ...lines].join('\n')}\n`
}

const FORMATS = {
  safetensors: 'a Hugging Face folder',
  gguf: 'a GGUF file',
  onnx: 'a folder with an ONNX graph',
} as const

function modelLines(found: ModelInspection): string[] {
  const { tokenizer, template, licence, digest, problems } = found
  return [
    ...weightLines(found),
    ...(tokenizer
      ? [
          line('tokenizer', `${tokenizer.vocabulary} tokens, sha256 ${tokenizer.digest}`),
          line('special', specialText(found, tokenizer)),
        ]
      : []),
    ...(template
      ? [
          line('template', `${template.source}, sha256 ${template.digest}`),
          ...template.example.split('\n').map((text) => line('', `| ${text}`)),
        ]
      : []),
    line('licence', licence ?? 'none stated'),
    ...(digest === null ? [] : [line('sha256', digest)]),
    ...problemLines(problems),
  ]
}

function weightLines({ weights }: ModelInspection): string[] {
  if (!weights) return []
  const { architecture, modelType, layers, parameters, bytes, storage, memory } = weights
  const known = architecture ?? `none of ours (model_type ${modelType})`
  return [
    line('family', `${known}, ${layers} layers, ${parameters.toLocaleString('en')} parameters`),
    line(
      'stored',
      `${sized(bytes)}: ${storage.map((each) => `${each.type} ${sized(each.bytes)}`).join(', ')}`,
    ),
    ...(weights.maxPositions === null ? [] : [line('context', `${weights.maxPositions} tokens`)]),
    ...(weights.classes === null ? [] : [line('classes', classText(weights.classes))]),
    ...(memory
      ? [
          line(
            'memory',
            `LoRA about ${sized(memory.lora)}, full about ${sized(memory.full)}, in steps of 8 × 128 tokens`,
          ),
        ]
      : []),
    ...moduleLines(weights.modules),
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

const moduleLines = (modules: readonly ModuleFacts[]): string[] =>
  modules.map(({ name, shape, storage, count }, i) =>
    line(i === 0 ? 'modules' : '', `${name} [${shape.join(', ')}] ${storage} × ${count}`),
  )

function adapterLines(found: AdapterInspection): string[] {
  const { form, rank, alpha, scale, base, targetModules, parameters, bytes, digest } = found
  return [
    line('form', `${form}, rank ${rank}, alpha ${alpha}, scale ${scale}`),
    line('base', base === '' ? 'not stated' : base),
    line('targets', targetModules.join(', ')),
    line('stored', `${parameters.toLocaleString('en')} parameters, ${sized(bytes)}`),
    ...moduleLines(found.modules),
    ...(digest === null ? [] : [line('sha256', digest)]),
    ...found.warnings.map((warning) => line('warning', warning)),
  ]
}

function problemLines(problems: ModelInspection['problems']): string[] {
  if (problems.length === 0) return [line('problems', 'none')]
  return problems.map(({ message, remedy }) => line('problem', `${message} ${remedy}`))
}
