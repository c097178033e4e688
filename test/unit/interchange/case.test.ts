/** @file A case folder is what was signed, or verify names the file: every byte, every file, every key. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { sealCase, verifyCase } from '../../../evals/interchange/case-folder.ts'
import { newKeyPair, publicPem, signedEnvelope } from '../../../evals/interchange/signing.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'
import { fc } from '../../doubles/properties.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const keys = newKeyPair()
const pem = { pem: publicPem(keys.publicKey), path: 'author.pub' }

/** A small sealed folder. */
async function sealed(isOwn = true): Promise<string> {
  const folder = freshFolder()
  mkdirSync(join(folder, 'inner'))
  writeFileSync(join(folder, 'report.html'), '<p>PASS</p>')
  writeFileSync(join(folder, 'inner', 'empty.csv'), '')
  const seal = await sealCase(folder, { run: 'run-1', touchstone: '0.1.0' }, { keys, isOwn })
  for (const [name, text] of seal) writeFileSync(join(folder, name), text)
  return folder
}

const problem = (folder: string, key?: typeof pem): Promise<string> =>
  verifyCase(folder, key).then(
    () => 'whole',
    (error: Error) => error.message,
  )

describe('a sealed folder', () => {
  test('is whole, and says whose key signed it', async () => {
    const folder = await sealed()
    const found = await verifyCase(folder, pem)
    expect(found).toMatchObject({ files: 2, run: 'run-1', isSigned: true })
    expect(found.keyFingerprint).toMatch(/^[0-9a-f]{64}$/)
    // Sealed again it is sealed the same: Ed25519 draws no numbers.
    const again = await sealCase(
      folder,
      { run: 'run-1', touchstone: '0.1.0' },
      { keys, isOwn: true },
    )
    for (const [name, text] of again) expect(readFileSync(join(folder, name), 'utf8')).toBe(text)
  })

  test('with one byte changed, anywhere, is refused by the file’s name', async () => {
    const folder = await sealed()
    const names = ['report.html', 'manifest.json', 'signature.json', 'public-key.pem']
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(100_000),
        fc.integer({ min: 1, max: 255 }),
        async (name, place, flip) => {
          const path = join(folder, name)
          const bytes = readFileSync(path)
          const changed = Buffer.from(bytes)
          changed[place % bytes.length]! ^= flip
          writeFileSync(path, changed)
          const found = await problem(folder)
          writeFileSync(path, bytes)
          expect(found).toMatch(/is not what was signed/)
          if (name === 'report.html') expect(found).toContain(name)
          // A key that is still one belongs to another signature.
          if (name !== 'report.html') expect(found).toMatch(/signature|manifest|public-key/)
        },
      ),
      { numRuns: 400 },
    )
    expect(await problem(folder)).toBe('whole')
  })

  test('with a byte more or less, anywhere, is refused', async () => {
    const folder = await sealed()
    for (const name of [
      'report.html',
      'inner/empty.csv',
      'manifest.json',
      'signature.json',
      'public-key.pem',
    ]) {
      const path = join(folder, name)
      const bytes = readFileSync(path)
      for (const changed of [Buffer.concat([bytes, Buffer.from('\n')]), bytes.subarray(1)]) {
        if (changed.equals(bytes)) continue
        writeFileSync(path, changed)
        expect(await problem(folder)).toMatch(/is not what was signed/)
      }
      writeFileSync(path, bytes)
    }
    expect(await problem(folder)).toBe('whole')
  })

  test('with a file added, removed, renamed or replaced by a link is refused by its name', async () => {
    const change = async (alter: (folder: string) => void) => {
      const folder = await sealed()
      alter(folder)
      return problem(folder)
    }
    expect(await change((at) => writeFileSync(join(at, 'inner', 'new.txt'), ''))).toMatch(
      /^inner\/new\.txt .*added/,
    )
    expect(await change((at) => mkdirSync(join(at, 'inner', 'new')))).toMatch(/^inner\/new .*added/)
    expect(await change((at) => rmSync(join(at, 'report.html')))).toMatch(/^report\.html .*missing/)
    for (const own of ['manifest.json', 'signature.json', 'public-key.pem']) {
      expect(await change((at) => rmSync(join(at, own)))).toMatch(
        `${own} is not what was signed: it is missing`,
      )
    }
    const linked = await change((at) => {
      rmSync(join(at, 'report.html'))
      symlinkSync('inner/empty.csv', join(at, 'report.html'))
    })
    expect(linked).toMatch(/^report\.html .*neither a file nor a folder/)
    expect(await problem(join(freshFolder(), 'nowhere'))).toMatch(/it is missing/)
  })

  test('signed again by somebody else is refused where the author’s key is known', async () => {
    const folder = await sealed()
    const stranger = newKeyPair()
    writeFileSync(join(folder, 'report.html'), '<p>FAIL</p>')
    const about = { run: 'run-1', touchstone: '0.1.0' }
    const seal = await sealCase(folder, about, { keys: stranger, isOwn: true })
    for (const [name, text] of seal) writeFileSync(join(folder, name), text)
    expect(await problem(folder, pem)).toMatch(/another key/)
    // Without the author's key it is whole, with another fingerprint: that is why one compares it.
    expect(await problem(folder)).toBe('whole')
    // The stranger's signature beside the author's key.
    writeFileSync(join(folder, 'public-key.pem'), pem.pem)
    expect(await problem(folder, pem)).toMatch(/signed with another key/)
  })

  test('whose manifest was signed but is none is refused', async () => {
    const folder = await sealed()
    const text = '{"_type":"other"}'
    writeFileSync(join(folder, 'manifest.json'), text)
    writeFileSync(join(folder, 'signature.json'), signedEnvelope(Buffer.from(text), keys))
    expect(await problem(folder)).toMatch(/manifest\.json .*no manifest/)
  })

  test('that nobody’s key signed is whole, but not the author’s', async () => {
    const folder = await sealed(false)
    expect(await verifyCase(folder)).toMatchObject({ isSigned: false })
    expect(await problem(folder, pem)).toMatch(/nobody’s key/)
  })
})

describe('touchstone case and verify', () => {
  const place = freshFolder()
  const key = join(place, 'signing.pem')
  const out = join(place, 'case')
  beforeAll(async () => {
    expect(await run('case', '--new-key', key)).toMatchObject({ code: 0 })
    const made = await run(
      'case',
      STORED_RUN,
      '--out-dir',
      storeAudit(),
      '--out',
      out,
      '--key',
      key,
    )
    expect(made).toMatchObject({ code: 0 })
    expect(made.stdout).toContain('touchstone verify')
    // Both count what is sealed, not what seals it.
    const [, written] = /: (\d+) files/.exec(made.stdout) ?? []
    const { files } = await verifyCase(out)
    expect(files).toBe(Number(written))
  })

  test('the folder holds report, numbers, every format, manifest and signature, and nothing half-written', () => {
    const names = readdirSync(out)
    for (const name of [
      'report.html',
      'results.json',
      'run.csv',
      'run.jsonl',
      'run.junit.xml',
      'lm-eval',
    ]) {
      expect(names).toContain(name)
    }
    expect(names.some((name) => name.endsWith('.eval'))).toBe(true)
    expect(readdirSync(place).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('verify agrees, with the public key and without; with another key it does not', async () => {
    expect(await run('verify', out)).toMatchObject({ code: 0 })
    const known = await run('verify', out, '--key', `${key}.pub`, '--json')
    expect(known.code).toBe(0)
    expect(JSON.parse(known.stdout)).toMatchObject({
      type: 'verify',
      isSigned: true,
      isKeyKnown: true,
    })
    const other = join(place, 'other.pem')
    await run('case', '--new-key', other)
    const refused = await run('verify', out, '--key', `${other}.pub`)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('another key')
  })

  test('verify names the file in which a byte changed, and exits with 1', async () => {
    const copy = join(freshFolder(), 'case')
    cpSync(out, copy, { recursive: true })
    const file = readdirSync(copy).find((name) => name.endsWith('.eval'))!
    const bytes = readFileSync(join(copy, file))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(join(copy, file), bytes)
    const { code, stderr } = await run('verify', copy)
    expect(code).toBe(1)
    expect(stderr).toContain(file)
  })

  test('cases are dated and numbered; where the run is known an older one is refused', async () => {
    const folder = storeAudit()
    const [older, newer] = ['older', 'newer'].map((name) => join(freshFolder(), name))
    const made = (to: string) => run('case', '--out-dir', folder, '--out', to, '--json')
    expect(JSON.parse((await made(older!)).stdout)).toMatchObject({ number: 1 })
    expect(await run('verify', older!, '--out-dir', folder)).toMatchObject({ code: 0 })
    expect(JSON.parse((await made(newer!)).stdout)).toMatchObject({ number: 2 })
    expect((await run('verify', newer!, '--out-dir', folder)).stdout).toMatch(
      /case 2, made at \d{4}-\d\d-\d\dT/,
    )
    const refused = await run('verify', older!, '--out-dir', folder)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/older case of run-1: number 1, and number 2 was made at/)
    // A case of version 0.1.0 has no number.
    const undated = await sealed()
    expect((await run('verify', undated)).stdout).toContain('an undated case of run-1')
    expect((await run('verify', undated, '--out-dir', folder)).stderr).toContain('has no number')
  })

  test('keys are kept from others and never replaced; wrong keys and full folders are said', async () => {
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(await run('case', '--new-key', key)).toMatchObject({ code: 1 })
    const folder = storeAudit()
    const full = await run('case', '--out-dir', folder, '--out', place)
    expect(full).toMatchObject({ code: 1 })
    expect(full.stderr).toContain('not empty')
    const wrong = join(place, 'wrong.pem')
    writeFileSync(wrong, 'no key')
    chmodSync(wrong, 0o600)
    const next = join(place, 'next')
    const refused = await run('case', '--out-dir', folder, '--out', next, '--key', wrong)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toContain('no private key')
    expect(readdirSync(place)).not.toContain('next')
    expect(await run('case', '--out-dir', folder)).toMatchObject({ code: 2 })
    const short = ['-o', join(place, 'by-o')]
    expect((await run('case', '--out-dir', folder, ...short)).stderr).toBe('')
    expect(await run('verify')).toMatchObject({ code: 2 })
  })
})
