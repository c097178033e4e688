/**
 * @file The same bits on every x86-64 processor that has AVX2: these digests came from one with AVX-512 and, with the
 * operating system's word on its vectors changed, from AVX2 alone (docs/models/pebble.md). Whoever meets a third one knows that
 * training here is not what it was there. A new version of ONNX Runtime may change them: then they are made again on both.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'
import { trainTiny } from '../../doubles/training/tiny-training.ts'

/** Wide enough for whole vectors and for what is left over beside them. */
const tiny = () =>
  tinyModel({ hidden: 72, heads: 6, kvHeads: 2, headDim: 12, inner: 180, vocab: 301 })
const examples = Array.from({ length: 6 }, (_, i) => {
  const ids = randomIds(`text ${i}`, 29 - i, 301)
  return { ids, labelled: ids.map((_, t) => t > 4) }
})

const DIGESTS = {
  lora: 'b7897be314eed42d2ef85a63fcd26ee7d40835b5f18c6e50a6d7bd2ee9f1497a',
  full: '28328195201353bcd89906b4a4a2b651cd7b73f7a5d8502b74a64b1c5bc75691',
}

function skipped(): string | undefined {
  if (process.arch !== 'x64') return `rounding on ${process.arch} is its own`
  if (process.platform !== 'linux') return undefined
  const hasAvx2 = /^flags\s*:.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  return hasAvx2 ? undefined : 'this processor has no AVX2'
}

describe.each(Object.entries(DIGESTS))('%s', (method, digest) => {
  test.for([1, 2])(
    'ends in the bits of other processors, with %i threads',
    async (threads, { skip }) => {
      const why = skipped()
      if (why) return skip(why)
      expect((await trainTiny({ method, threads, tiny: tiny(), examples })).digest).toBe(digest)
    },
  )
})
