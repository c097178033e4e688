/**
 * @file Public tools verify what we sign, and refuse it with a byte changed; model-signing lists a model's files as we do; openssl stamps
 * a plan; compliance-trestle reads the fact sheet. Set TOUCHSTONE_PYTHON to a Python with the packages of `statements.py`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { Results } from '../../evals/contract/results.ts'
import { readPlan } from '../../evals/interchange/statements/plan-file.ts'
import { modelStatement } from '../../evals/interchange/statements/model-manifest.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { storeChange } from '../doubles/runs/stored-change.ts'
import { oraclePython } from './smollm2.ts'

const FIND = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))'
const has = (...modules: string[]) =>
  spawnSync(oraclePython(), ['-c', FIND, ...modules]).status === 0

function python(...args: string[]): { status: number | null; said: string; stderr: string } {
  const script = join(import.meta.dirname, 'statements.py')
  const { status, stdout, stderr } = spawnSync(oraclePython(), [script, ...args], {
    encoding: 'utf8',
  })
  return { status, said: stdout.trim(), stderr }
}

const run = async (...argv: string[]) => {
  const ran = await runCommand(argv, {}, COMMANDS)
  expect(ran.code, ran.stderr).toBe(0)
}

/** A pair of keys, a plan and a case, signed with it. */
async function signed() {
  const folder = freshFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('gate.yaml'), 'margin: 0.1\n')
  await run('case', '--new-key', at('key.pem'))
  const words = ['--suite', 'house', '--key', at('key.pem'), '-o', at('plan.signed')]
  await run('gate', 'freeze', at('gate.yaml'), ...words)
  await run('case', '--out-dir', storeChange({ lost: 0 }), '-o', at('case'), '--key', at('key.pem'))
  return { at, pem: at('key.pem.pub') }
}

/** Another character of base64 in the first payload. */
function withOtherByte(path: string, to: string): string {
  const text = readFileSync(path, 'utf8')
  const place = text.indexOf('"payload"') + 60
  const other = text[place] === 'A' ? 'B' : 'A'
  writeFileSync(to, `${text.slice(0, place)}${other}${text.slice(place + 1)}`)
  return to
}

const dsse = has('securesystemslib', 'in_toto_attestation')
const dsseTitle = dsse ? 'securesystemslib' : 'securesystemslib (needs pip install)'

describe.skipIf(!dsse)(dsseTitle, { timeout: 120_000 }, () => {
  test('accepts a plan, a case’s manifest and its statements, and refuses each with a byte changed', async () => {
    const { at, pem } = await signed()
    const types = ['urn:touchstone:plan:v1', 'urn:touchstone:case:v1']
    for (const [name, expected] of [
      ['plan.signed', [types[0]]],
      ['case/signature.json', [types[1]]],
      [
        'case/statements.intoto.jsonl',
        [
          'urn:touchstone:evaluation:v1',
          'https://in-toto.io/attestation/test-result/v0.1',
          'https://b7n0de.com/attestation/eval-result/v0.2',
        ],
      ],
    ] as const) {
      const { status, said, stderr } = python('dsse', pem, at(name))
      expect(status, stderr).toBe(0)
      expect(JSON.parse(said)).toEqual({ types: expected })
      const changed = python('dsse', pem, withOtherByte(at(name), at('changed')))
      expect(changed.status).toBe(1)
      expect(changed.stderr).toContain('VerificationError')
    }
  })
})

const trestle = has('trestle')
const trestleTitle = trestle ? 'compliance-trestle' : 'compliance-trestle (needs pip install)'

describe.skipIf(!trestle)(trestleTitle, { timeout: 120_000 }, () => {
  test('reads the fact sheet of a run as assessment results', async () => {
    const folder = storeChange({ lost: 6 })
    const path = join(folder, 'run.oscal.json')
    await run('export', '--out-dir', folder, '-o', path, '-o', join(folder, 'results.json'))
    const { status, said, stderr } = python('oscal', path)
    expect(status, stderr).toBe(0)
    const { gate } = Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))
    expect(JSON.parse(said)).toMatchObject({ findings: gate!.claims.length })
    // Without what the schema requires it is refused.
    const text = readFileSync(path, 'utf8').replace('"oscal-version"', '"version-of-oscal"')
    writeFileSync(path, text)
    expect(python('oscal', path).status).toBe(1)
  })
})

const openssl = spawnSync('openssl', ['version']).status === 0
const opensslTitle = openssl ? 'openssl' : 'openssl (is not installed)'

describe.skipIf(!openssl)(opensslTitle, { timeout: 120_000 }, () => {
  test('an authority stamps a plan, its token is read, and a token for something else is refused', async () => {
    const { at } = await signed()
    const ssl = (...args: string[]) => {
      const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8', cwd: at('.') })
      expect(status, stderr).toBe(0)
    }
    writeFileSync(at('ts.cnf'), AUTHORITY)
    writeFileSync(at('serial'), '01\n')
    const self = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=authority', '-days', '2']
    ssl(
      'req',
      ...self,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-config',
      'ts.cnf',
      '-extensions',
      'stamping',
    )
    await run('gate', 'stamp', at('plan.signed'), '-o', at('plan.tsq'))
    ssl('ts', '-reply', '-config', 'ts.cnf', '-queryfile', 'plan.tsq', '-out', 'answer.tsr')
    ssl('ts', '-verify', '-queryfile', 'plan.tsq', '-in', 'answer.tsr', '-CAfile', 'ca.pem')
    const token = ['--token', at('answer.tsr'), '-o', at('stamped.signed')]
    await run('gate', 'stamp', at('plan.signed'), ...token)
    const { stamped } = readPlan(readFileSync(at('stamped.signed'), 'utf8'), 'stamped.signed')
    expect(Math.abs(Date.parse(stamped!) - Date.now())).toBeLessThan(600_000)
    const other = await signed()
    const refused = await runCommand(
      ['gate', 'stamp', other.at('plan.signed'), '--token', at('answer.tsr'), '-o', at('no')],
      {},
      COMMANDS,
    )
    expect(refused.stderr).toContain('stamps something else')
  })
})

/** A time-stamping authority for openssl. */
const AUTHORITY = `
[req]
distinguished_name = dn
[dn]
[stamping]
basicConstraints = critical,CA:true
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
serial = ./serial
signer_cert = ./ca.pem
certs = ./ca.pem
signer_key = ./ca.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
`

const oms = has('model_signing', 'OpenSSL')
const omsTitle = oms ? 'model-signing' : 'model-signing (needs pip install)'

describe.skipIf(!oms)(omsTitle, { timeout: 120_000 }, () => {
  test('lists the files of the bundled model as we do', async () => {
    const folder = join(import.meta.dirname, '../../evals/bundled/pebble')
    const { status, said, stderr } = python('model', folder)
    expect(status, stderr).toBe(0)
    expect(await modelStatement(folder)).toEqual(JSON.parse(said))
  })
})
