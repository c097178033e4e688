/** @file Statements of a case: each line is signed, says what the run decided, and a model's files are listed as model-signing does. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { envelopeProblem, readPublicKey } from '../../../evals/interchange/signing.ts'
import { modelStatement } from '../../../evals/interchange/statements/model-manifest.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { storeChange } from '../../doubles/runs/stored-change.ts'

const FIXTURE = JSON.parse(
  readFileSync(new URL('../../golden/fixtures/model-signing.json', import.meta.url), 'utf8'),
) as { files: Record<string, string>; statement: unknown }

/** The folder of the fixture. */
function modelFolder(): string {
  const folder = join(freshFolder(), 'tuned')
  for (const [name, content] of Object.entries(FIXTURE.files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

describe('a model’s files', () => {
  test('are listed as model-signing lists them', async () => {
    expect(await modelStatement(modelFolder())).toEqual(FIXTURE.statement)
  })

  test('that are links, or none, are refused', async () => {
    const folder = modelFolder()
    symlinkSync('config.json', join(folder, 'link.json'))
    await expect(modelStatement(folder)).rejects.toThrow('link.json is a link or no file')
    await expect(modelStatement(freshFolder())).rejects.toThrow('it holds no file')
    await expect(modelStatement(join(folder, 'nowhere'))).rejects.toThrow('ENOENT')
  })
})

interface Line {
  readonly predicateType: string
  readonly subject: { name: string; digest: { sha256: string } }[]
  readonly predicate: Record<string, unknown>
}

describe('the statements of a case', () => {
  let results: Results
  let lines: string[]
  let pem: string
  beforeAll(async () => {
    const folder = storeChange({ lost: 0 })
    const out = join(freshFolder(), 'case')
    const ran = await runCommand(
      ['case', '--out-dir', folder, '-o', out, '--model', modelFolder()],
      {},
      COMMANDS,
    )
    expect(ran.code).toBe(0)
    const read = (name: string) => readFileSync(join(out, name), 'utf8')
    results = Results.parse(JSON.parse(read('results.json')))
    lines = read('statements.intoto.jsonl').trimEnd().split('\n')
    pem = read('public-key.pem')
    expect((await runCommand(['verify', out], {}, COMMANDS)).code).toBe(0)
  })

  const payloadOf = (line: string) =>
    Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64')
  const stated = () => lines.map((line) => JSON.parse(payloadOf(line).toString()) as Line)

  test('are signed with the case’s key, every one', () => {
    const key = readPublicKey(pem, 'key')
    for (const line of lines) {
      const text = `${JSON.stringify(JSON.parse(line), null, 2)}\n`
      expect(envelopeProblem(text, payloadOf(line), key)).toBeUndefined()
      const changed = Buffer.from(payloadOf(line))
      changed[changed.length - 2]! ^= 1
      expect(envelopeProblem(text, changed, key)).toBeDefined()
    }
  })

  test('say what results.json says, of the fine-tune by its digest', () => {
    const [own, test, draft, model, ...rest] = stated() as [Line, Line, Line, Line, ...Line[]]
    expect(rest).toEqual([])
    expect([own, test, draft, model].map(({ predicateType }) => predicateType)).toEqual([
      'urn:touchstone:evaluation:v1',
      'https://in-toto.io/attestation/test-result/v0.1',
      'https://b7n0de.com/attestation/eval-result/v0.2',
      'https://model_signing/signature/v1.0',
    ])
    const { gate } = results
    expect(own.predicate).toMatchObject({ outcome: gate!.outcome, alpha: gate!.alpha })
    expect(own.predicate['claims']).toHaveLength(gate!.claims.length)
    const listed = ['passedTests', 'warnedTests', 'failedTests'].flatMap(
      (name) => test.predicate[name] as string[],
    )
    expect(listed).toHaveLength(gate!.claims.length)
    expect(new Set(listed).size).toBe(listed.length)
    const whole = gate!.claims.find(({ bound, measures }) => !bound && !measures)!
    expect(draft.predicate).toMatchObject({
      claims: [
        {
          metric: 'harm/house-refusal',
          comparator: '<',
          threshold: '0.05',
          passed: whole.outcome === 'PASS',
        },
      ],
      sampleSize: whole.n,
    })
    const tuned = results.subjects.find(({ arm }) => arm === 'lora')!
    for (const { subject } of [own, test, draft])
      expect(subject[0]!.digest.sha256).toBe(tuned.adapterDigest ?? tuned.weightsDigest)
    expect(model.subject[0]!.name).toBe('tuned')
    expect(JSON.stringify(stated())).not.toContain('zzplantedzz')
  })
})
