/**
 * @file From a process that begins to a model's first token, as the window's conversation asks for it, and what `inspect`
 * takes: `node test/bench/first-token.ts [--model PATH] [--pairs 3]`. Without --model, a random Llama of 0.98 billion
 * parameters in bfloat16 (2 GB), written into --folder where it is not there yet. Cold: the page cache is emptied before
 * (Linux, root); where it cannot be, that is said.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exists } from '../../evals/files/read-file.ts'
import { imported, peakOf, print, touchstone } from './harness/peak.ts'
import { LLAMA_1_5B, TOKENIZER_FILES, writeRandomModel } from './harness/random-model.ts'

const PEBBLE = join(import.meta.dirname, '../../evals/bundled/pebble')
const GIB = 2 ** 30

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
    pairs: { type: 'string', default: '3' },
  },
})

async function madeModel(): Promise<string> {
  const folder = join(values.folder, 'touchstone-random-1b')
  if (await exists(join(folder, 'model.safetensors'))) return folder
  await writeRandomModel(folder, { ...LLAMA_1_5B, layers: 16 }, 7, 'BF16')
  for (const file of TOKENIZER_FILES) await cp(join(PEBBLE, file), join(folder, file))
  return folder
}

/** Whether what was read before must be read from the disk again. */
function emptyPageCache(): boolean {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

const model = values.model ?? (await madeModel())
const file = (await stat(model)).isFile() ? model : join(model, 'model.safetensors')
print(`${model}: ${((await stat(file)).size / GIB).toFixed(2)} GiB`)

const question = {
  messages: [{ role: 'user', content: 'When does the kitchen open on Sunday?' }],
  maxNewTokens: 1,
  temperature: 0,
  seed: 0,
  isWithheld: true,
}
const firstToken = `
  const { openTalkers } = await import(${imported('evals/engine/talk.ts')})
  const talkers = await openTalkers(${JSON.stringify(model)}, null)
  const { tokenCount } = await talkers.base(${JSON.stringify(question)})
  console.log(tokenCount + ' token')
  await talkers.close()`

const works = { 'first token': firstToken, inspect: touchstone('inspect', model) }
for (const [title, program] of Object.entries(works)) {
  for (const wanted of ['cold', 'warm']) {
    for (let run = 0; run < Number(values.pairs); run++) {
      const isCold = wanted === 'cold' && emptyPageCache()
      const { exit, seconds, bytes, text } = await peakOf(program)
      const cache = wanted === 'cold' && !isCold ? 'page cache as it was' : wanted
      print(`${title}, ${cache}: ${seconds.toFixed(2)} s, peak ${(bytes / GIB).toFixed(2)} GiB`)
      if (exit !== 0) {
        print(text)
        process.exitCode = 1
      }
    }
  }
}
