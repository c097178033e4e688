/** @file Checks before training or writing whether an exported graph as base supports it. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ArmPlan } from './arm-plan.ts'
import type { Base } from '../measure/base.ts'

/** An exported graph attends to the whole row, does not expose its blocks, and cannot be written as a whole fine-tune. */
export function requireTrainable({ model, path }: Base, { method, training }: ArmPlan): void {
  if (!model.graph) return
  if (training.packing) {
    throw new TouchstoneError('usage.invalid', {
      problem: `${path} is an exported graph, which sees one text a row.`,
      remedy: 'Leave --packing out.',
    })
  }
  if (training.checkpointing) {
    throw new TouchstoneError('usage.invalid', {
      problem: `${path} is an exported graph, whose blocks are not known.`,
      remedy: 'Leave --checkpointing out.',
    })
  }
  if (method.toPeft) return
  throw new TouchstoneError('usage.invalid', {
    problem: `${path} is an exported graph, of which ${method.title} could not be kept.`,
    remedy: 'Name a method that ends in an adapter, such as lora, or the folder that was exported.',
  })
}

export function requireWritable({ model, path }: Base): void {
  if (!model.graph) return
  throw new TouchstoneError('usage.invalid', {
    problem: `${path} is an exported graph, which cannot be written in another form.`,
    remedy: 'Name the Hugging Face folder or GGUF file that it was exported from with --model.',
  })
}
