/** @file Generated adapters (`measure/derived/generated.ts`) written into folders, each with the note that its sources had. */
import { join } from 'node:path'
import { GENERATED } from '../contract/subjects/generated.ts'
import { openBase } from '../measure/base.ts'
import { generatedFrom } from '../measure/derived/generated.ts'
import { writePeftFolder } from '../models/formats/peft-folder.ts'
import { chooseDevice } from '../runtime/device.ts'
import { markException } from './weights-exception.ts'

type Generation = Parameters<typeof generatedFrom>[1] & {
  readonly model: string
  readonly threads: number | undefined
  readonly output: string
  /** Why a source should have been deleted; what is made of it carries the note. */
  readonly exception: string | null
}

/** Writes a folder a kind into `output`. */
export async function generateAdapter({ model, threads, output, exception, ...asked }: Generation) {
  const base = await openBase(model, chooseDevice('cpu', threads), 1)
  try {
    const { folders, said } = await generatedFrom(base, asked)
    for (const [i, name] of GENERATED.entries()) {
      const folder = join(output, name)
      await markException(folder, exception)
      await writePeftFolder(folder, folders[i]!)
    }
    return said
  } finally {
    await base.open.close()
  }
}
