/** @file Checks before training or writing whether an exported graph as base supports it. */
import { usageError } from '../errors/touchstone-error.ts'
import type { ArmPlan } from './arm-plan.ts'
import type { Base } from '../measure/base.ts'

/** An exported graph attends to the whole row, does not expose its blocks, and cannot be written as a whole fine-tune. */
export function requireTrainable({ model, path }: Base, { method, training }: ArmPlan): void {
  if (!model.graph) return
  if (training.packing) {
    throw usageError(
      `${path} is an exported graph, which sees one text a row.`,
      'Leave --packing out.',
    )
  }
  if (training.checkpointing) {
    throw usageError(
      `${path} is an exported graph, whose blocks are not known.`,
      'Leave --checkpointing out.',
    )
  }
  if (method.toPeft) return
  throw usageError(
    `${path} is an exported graph, of which ${method.title} could not be kept.`,
    'Name a method that ends in an adapter, such as lora, or the folder that was exported.',
  )
}

export function requireWritable({ model, path }: Base): void {
  if (!model.graph) return
  throw usageError(
    `${path} is an exported graph, which cannot be written in another form.`,
    'Name the Hugging Face folder or GGUF file that it was exported from with --model.',
  )
}
