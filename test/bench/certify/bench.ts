/**
 * @file `node test/bench/certify/bench.ts`: `certify` on honest exports in every form, and on planted faults. Prints what each
 * limit sees and ends with 1 where an honest export fails or a fault passes.
 * Flags: --model smollm2|pebble|PATH (smollm2, found as by `npm run peers`), --limit 8 prompts a benchmark (1 for faults),
 * --suite general, --forms f32,f16,…, --fault-forms f32,gguf-q8_0,gguf-q4_0, --only WORD of a fault's name, --base (no fine-tune of it), --out FILE.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportModel, type ExportForm } from '../../../evals/arms/export-model.ts'
import { certify, type Certificate } from '../../../evals/inspect/certificate/certify.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { FAULTS, plant } from '../../doubles/certify/faults.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'
import { findSmolLm2, SMOLLM2_MISSING } from '../../peers/smollm2.ts'
import { parse, wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { print } from '../harness/peak.ts'

const values = parse({
  model: { type: 'string', default: 'smollm2' },
  suite: { type: 'string', default: 'general' },
  limit: { type: 'string', default: '8' },
  forms: { type: 'string', default: 'f32,f16,bf16,gguf-f16,gguf-q8_0,gguf-q4_1,gguf-q4_0,onnx' },
  'fault-forms': { type: 'string', default: 'f32,gguf-q8_0,gguf-q4_0' },
  only: { type: 'string', default: '' },
  base: { type: 'boolean', default: false },
  out: { type: 'string' },
})
const model = values.model === 'smollm2' ? findSmolLm2() : modelPath(values.model)
if (model === undefined) {
  print(SMOLLM2_MISSING)
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'touchstone-bench-certify-'))
const limit = wholeNumber('limit', values.limit, 1, 10_000)
/** Spread of an adapter's B: its change is a few hundredths of the weights, as after a short fine-tune. */
const SIZE = 0.002
/** Prompts of a benchmark for a fault, which hardly needs any. */
const FEW = 1
/** Faults held to one opened reference; their files lie beside each other. */
const TOGETHER = 6

interface Row {
  readonly name: string
  readonly form: string
  readonly isHonest: boolean
  readonly found: Certificate
}

const at = (name: string) => join(folder, name)

/** Where each form of a model lies. */
async function exported(
  source: string,
  candidate: string | null,
  forms: readonly ExportForm[],
  prefix = '',
) {
  const paths: string[] = []
  for (const form of forms) {
    const output = at(`${prefix}${form.startsWith('gguf') ? `${form}.gguf` : form}`)
    await rm(output, { recursive: true, force: true })
    await exportModel({
      ...{ model: source, candidate, form, output },
      ...{ shardBytes: 5e9, exception: null },
    })
    paths.push(output)
  }
  return paths
}

function certified(artefacts: readonly string[], candidate: string | null, prompts: number) {
  const { signal } = new AbortController()
  const asked = { model: model!, candidate, artefacts, suite: [values.suite] }
  return certify({ ...asked, limit: prompts, limits: {} }, signal)
}

/** Four bits may say otherwise than what was measured, by rounding alone: then nothing else may be said of them. */
const isAsExpected = ({ isHonest, found }: Pick<Row, 'isHonest' | 'found'>): boolean =>
  isHonest ? found.outcome === 'PASS' || isTooCoarse(found) : found.outcome === 'FAIL'
const isTooCoarse = ({ storage, faults }: Certificate): boolean =>
  storage.some((type) => type.startsWith('Q4')) && faults.every(({ kind }) => kind === 'rounding')

const small = (value: number) => value.toPrecision(2)
function told({ name, form, isHonest, found }: Row): Row {
  const { distance: far, agreement, weights } = found
  const { worst, kept } = weights ?? {}
  print(
    [
      `${isAsExpected({ isHonest, found }) ? ' ' : '!'} ${found.outcome} ${form.padEnd(9)} ${name}`,
      `KL ${small(far.meanKl)} 99 % ${small(far.tailKl)} max ${small(far.maxKl)}`,
      `top ${(100 * far.sameTop).toFixed(1)} % of ${far.positions}`,
      `token ${small(far.tokenLogit)} logit ${small(far.maxLogit)}`,
      `replies ${agreement.sameReplies}/${agreement.prompts} verdicts ${agreement.verdictsChanged}/${agreement.judged}`,
      worst
        ? `worst ${worst.name.replace('model.layers.', '')} ${worst.storage} ${small(worst.share)} row ${small(worst.row)} scale ${small(worst.scale)}`
        : 'weights named otherwise',
      kept ? `change ${kept.factor.toFixed(3)} ± ${small(kept.error)}` : '',
      ...found.faults.map(({ kind, what }) => `${kind}: ${what}`),
      ...found.beyond,
    ].join('; '),
  )
  return { name, form, isHonest, found }
}

async function bench(): Promise<Row[]> {
  print(showMachine(machine()))
  const loaded = await loadModel(model!)
  const adapter = await writeAdapter(at('adapter'), loaded.model, { seed: 1, size: SIZE })
  const half = await writeAdapter(at('half'), loaded.model, { seed: 1, size: SIZE / 2 })
  await loaded.open.close()
  const rows: Row[] = []
  const forms = values.forms.split(',').filter((form) => form !== '') as ExportForm[]
  for (const candidate of values.base ? [null] : [null, adapter]) {
    if (forms.length === 0) continue
    const all = await certified(await exported(model!, candidate, forms), candidate, limit)
    const name = candidate === null ? 'the base' : 'a fine-tune, merged'
    for (const [i, found] of all.entries())
      rows.push(told({ name, form: forms[i]!, isHonest: true, found }))
  }
  const right = at('right')
  const write = { model: model!, form: 'f32', shardBytes: 5e9, exception: null } as const
  await exportModel({ ...write, candidate: adapter, output: right })
  const wrong: { name: string; source: () => Promise<string> }[] = [
    { name: 'the adapter never merged', source: () => Promise.resolve(model!) },
    {
      name: 'the adapter merged at half its scale',
      async source() {
        await rm(at('halved'), { recursive: true, force: true })
        await exportModel({ ...write, candidate: half, output: at('halved') })
        return at('halved')
      },
    },
    ...FAULTS.map((fault) => ({
      name: fault.name,
      async source() {
        await plant(right, at('faulty'), fault)
        return at('faulty')
      },
    })),
  ]
  const chosen = wrong.filter(({ name }) => name.includes(values.only))
  const faulty = values['fault-forms'].split(',') as ExportForm[]
  for (let first = 0; first < chosen.length; first += TOGETHER) {
    const group = chosen.slice(first, first + TOGETHER)
    const paths: string[] = []
    for (const [i, { source }] of group.entries())
      paths.push(...(await exported(await source(), null, faulty, `${i}-`)))
    const all = await certified(paths, adapter, Math.min(FEW, limit))
    for (const [i, found] of all.entries()) {
      const { name } = group[Math.floor(i / faulty.length)]!
      rows.push(told({ name, form: faulty[i % faulty.length]!, isHonest: false, found }))
    }
  }
  return rows
}

try {
  const rows = await bench()
  const count = (honest: boolean, outcome: string) =>
    rows.filter((row) => row.isHonest === honest && row.found.outcome === outcome).length
  const coarse = rows.filter(({ isHonest, found }) => isHonest && found.outcome === 'FAIL')
  print(
    `Honest exports: ${count(true, 'PASS')} pass, ${coarse.length} fail, ${coarse.filter(({ found }) => isTooCoarse(found)).length} of them by the rounding of 4 bits alone. Planted faults: ${count(false, 'FAIL')} fail, ${count(false, 'PASS')} pass.`,
  )
  if (values.out !== undefined) {
    const told = rows.map(({ found: { path: _, ...found }, ...row }) => ({ ...row, ...found }))
    writeFileSync(values.out, `${JSON.stringify({ machine: machine(), rows: told }, null, 2)}\n`)
  }
  process.exitCode = rows.every(isAsExpected) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
