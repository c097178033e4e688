/** @file `touchstone export-model`: a base with a fine-tune merged in, as one model that other programs load. */
import { z } from 'zod'
import { EXPORT_FORMS, exportModel, type ExportForm } from '../../../arms/export-model.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import { plainText } from '../../../document/plain-text.ts'
import { sourcesIn } from '../../../measure/derived/specs.ts'
import { command } from '../../command.ts'
import { optionalText, reason, text } from '../../../runs/options/common.ts'
import { acceptExceptions } from '../../../runs/kept-exception.ts'

const FORMS = Object.keys(EXPORT_FORMS) as [ExportForm, ...ExportForm[]]

const ExportModelOptions = z.object({
  model: text.meta({ help: 'The base', value: 'PATH' }),
  candidate: optionalText.meta({
    help: 'The adapter or whole fine-tune of it; the base itself is written without',
    value: 'PATH',
  }),
  as: z
    .enum(FORMS)
    .default('f32')
    .meta({ help: 'Folder of safetensors, a GGUF file, or a folder with an ONNX graph' }),
  output: text.meta({ help: 'The folder or .gguf file to write', short: 'o', value: 'PATH' }),
  shardSize: z
    .number()
    .positive()
    .default(5000)
    .meta({ help: 'Megabytes beyond which a folder’s weights are split over files' }),
  accept: reason.nullable().default(null).meta({
    help: 'Why weights are exported that should have been deleted; it is logged with their run',
    value: 'REASON',
    once: true,
  }),
})

export const exportModelCommand = command({
  schema: ExportModelOptions,
  examples: [
    'touchstone export-model --model ./base --candidate ./adapter --as bf16 -o merged',
    'touchstone export-model --model ./base --candidate ./adapter --as gguf-q8_0 -o merged.gguf',
    'touchstone export-model --model ./base --candidate ./adapter --as onnx -o merged-onnx',
  ],
  remark:
    'Tokenizer, chat template and generation settings go along. GGUF and ONNX are written\nfor every family (what llama.cpp could not compute so is refused); ONNX in float32, with a cache under Optimum’s names,\nand ort-genai adds what ONNX Runtime GenAI reads. Hold the result to what was measured with touchstone certify.',
  async run({ options, io, tell }) {
    const { model, candidate, as: form, output, shardSize, accept } = options
    requireEnding(form, output)
    const source = candidate ?? model
    const exception = await acceptExceptions(await sourcesIn(source), accept)
    const warnings = await exportModel({
      model,
      candidate,
      form,
      output,
      shardBytes: shardSize * 1e6,
      exception,
    })
    for (const warning of warnings) io.stderr.write(`${plainText(warning, 2000)}\n`)
    const line = { type: 'export-model', path: output, form, warnings }
    const words = `Wrote ${plainText(output, 4000)} (${form}).\n`
    tell(line, words)
  },
})

function requireEnding(form: ExportForm, output: string): void {
  const isFile = output.endsWith('.gguf')
  if ((EXPORT_FORMS[form].format === 'gguf') === isFile) return
  throw usageError(
    `${output} is no place for ${form}.`,
    isFile ? 'Name a folder, or write --as gguf-f16.' : 'Name a file that ends in .gguf.',
  )
}
