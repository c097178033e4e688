/** @file What cannot be done with a base that is an exported graph, said before anything is trained or written. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ArmPlan } from './arm.ts'
import type { Base } from '../measure/base.ts'

/** Its mask lets a token see all that stands before it in its row, and there is no folder for a whole fine-tune of it. */
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
