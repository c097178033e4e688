/** @file `touchstone gate freeze`, `verify` of a plan, and `--plan`: each edited part is named, and a run says what it kept to. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../../../evals/cli/verbs/registry.ts'
import type { AuditRows } from '../../../../../evals/contract/audit-rows.ts'
import { Results } from '../../../../../evals/contract/results.ts'
import { PlanFile, type Plan } from '../../../../../evals/contract/signed/plan.ts'
import { sha256 } from '../../../../../evals/files/digest.ts'
import { canonicalJson } from '../../../../../evals/files/canonical-json.ts'
import { GateRule } from '../../../../../evals/contract/gate/rule.ts'
import { judgedStates } from '../../../../../evals/findings/contesting.ts'
import { lastStates } from '../../../../../evals/findings/gate/stored-run.ts'
import { readPlan } from '../../../../../evals/interchange/statements/plan-file.ts'
import { partsOf, planText } from '../../../../doubles/rows/plans.ts'
import { freshFolder, runCommand } from '../../../../doubles/runs/command-line.ts'
import { changedRows } from '../../../../doubles/runs/stored-change.ts'
import { storeAudit } from '../../../../doubles/runs/stored-audit.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)

const contextFile = (system: string) => `contexts:\n  - { name: polite, system: ${system} }\n`
const ROWS = 'prompt\nWhat time is breakfast?\nWhere is the pool?\n'

/** Gate, suite and context of its user, and the plan frozen from them. */
async function frozen(): Promise<{ folder: string; plan: string; gate: string }> {
  const folder = freshFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('gate.yaml'), 'margin: 0.1\n')
  writeFileSync(at('mine.csv'), ROWS)
  writeFileSync(at('polite.yaml'), contextFile('Be polite.'))
  const settings = ['--suite', at('mine.csv'), '--map', 'prompt=prompt,expected=comply']
  const words = ['gate', 'freeze', at('gate.yaml'), ...settings, '--contexts', at('polite.yaml')]
  const rule = ['--sequential', 'pocock', '--looks', '2']
  const ran = await run(...words, ...rule, '-o', at('plan.signed'))
  expect(ran.stderr).toBe('')
  expect(ran.code).toBe(0)
  return { folder, plan: at('plan.signed'), gate: at('gate.yaml') }
}

/** The plan with its payload changed. */
function edited(text: string, change: (statement: Statement) => void): string {
  const file = PlanFile.parse(JSON.parse(text))
  const payload = Buffer.from(file.dsseEnvelope.payload, 'base64').toString()
  const statement = JSON.parse(payload) as Statement
  change(statement)
  file.dsseEnvelope.payload = Buffer.from(JSON.stringify(statement)).toString('base64')
  return `${JSON.stringify(file, null, 2)}\n`
}

interface Statement {
  subject: { name: string; digest: { sha256: string } }[]
  predicate: Plan
}

describe('verify of a plan', () => {
  let made: Awaited<ReturnType<typeof frozen>>
  let text: string
  beforeAll(async () => {
    made = await frozen()
    text = readFileSync(made.plan, 'utf8')
  })

  test('is whole, and holds what was asked for', async () => {
    const { plan } = readPlan(text, made.plan)
    expect(plan.suite.map(({ prompts, context }) => [prompts, context?.name])).toEqual([
      [2, undefined],
      [2, 'polite'],
    ])
    expect(plan).toMatchObject({
      gate: { margin: 0.1 },
      seeds: [0],
      stopping: { spending: 'pocock', looks: 2 },
    })
    expect(plan.judges.every(({ version }) => version.length > 0)).toBe(true)
    const ran = await run('verify', made.plan, '--gate', made.gate)
    expect(ran.stdout).toContain('is whole: frozen at')
  })

  const EDITS: [string, (plan: Plan) => void][] = [
    ['gate', ({ gate }) => void (gate.margin = 0.2)],
    ['suite', ({ suite }) => void (suite[0]!.prompts = 1)],
    ['judges', ({ judges }) => void (judges[0]!.version = 'another')],
    ['contexts', ({ contexts }) => void contexts.pop()],
    ['seeds', ({ seeds }) => void seeds.push(1)],
    ['stopping', (plan) => void (plan.stopping = null)],
    ['settings', ({ settings }) => void (settings['limit'] = 1)],
  ]

  test.each(EDITS)('names %s where it was edited in the plan', (part, change) => {
    const alone = edited(text, ({ predicate }) => change(predicate))
    expect(() => readPlan(alone, 'plan.signed')).toThrow(
      `plan.signed is not what was frozen: ${part}, edited after it was frozen.`,
    )
    // Also where the digest beside it is made anew.
    const digested = edited(text, ({ subject, predicate }) => {
      change(predicate)
      const sums = subject.find(({ name }) => name === part)!.digest
      sums.sha256 = sha256(canonicalJson(predicate[part as keyof Plan]))
    })
    expect(() => readPlan(digested, 'plan.signed')).toThrow(`: ${part}, edited after`)
  })

  test('and says so of anything else that was changed', () => {
    const later = edited(text, ({ predicate }) => {
      predicate.frozen = '2020-01-01T00:00:00.000Z'
    })
    expect(() => readPlan(later, 'plan.signed')).toThrow('the signature is wrong')
    expect(() => readPlan(`${text} `, 'plan.signed')).toThrow('not written as it was')
    expect(() => readPlan('{}', 'plan.signed')).toThrow('is not a plan')
    // A part of another plan of the same key, with its signature.
    const parts = partsOf(GateRule.parse({ margin: 0.1 }), stateOf(0))
    const [one, two] = [parts, { ...parts, seeds: [3] }].map((each) => planText(each)) as [
      string,
      string,
    ]
    const payload = PlanFile.parse(JSON.parse(two)).dsseEnvelope.payload
    const other = JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement
    const mixed = edited(one, (statement) => {
      statement.predicate.seeds = other.predicate.seeds
      const at = statement.subject.findIndex(({ name }) => name === 'seeds')
      statement.subject[at] = other.subject[at]!
    })
    expect(() => readPlan(mixed, 'plan.signed')).toThrow('the signature is wrong')
  })

  test.each([
    ['gate', 'gate.yaml', 'margin: 0.2\n', 'gate'],
    ['suite', 'mine.csv', `${ROWS}When is lunch?\n`, 'suite (mine-comply)'],
    ['context', 'polite.yaml', contextFile('Be brief.'), 'contexts (polite)'],
  ])('names the %s that was edited where it lies', async (_, name, content, named) => {
    const { folder, plan, gate } = await frozen()
    writeFileSync(join(folder, name), content)
    const ran = await run('verify', plan, '--gate', gate)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('is not what was frozen')
    expect(ran.stderr).toContain(named)
  })

  test('names a judge that is another version now', async () => {
    const { plan } = readPlan(text, made.plan)
    const judges = plan.judges.map((judge) => ({ ...judge, version: 'older' }))
    const { gate, suite, contexts, seeds, stopping, settings } = plan
    const path = join(freshFolder(), 'plan.signed')
    writeFileSync(path, planText({ gate, suite, judges, contexts, seeds, stopping, settings }))
    const ran = await run('verify', path)
    expect(ran.stderr).toContain(`judges (${judges[0]!.name})`)
  })
})

const stateOf = (lost: number) => lastStates(judgedStates(changedRows({ lost }), 'x'))[0]!

interface Stored {
  readonly isBegun?: boolean
  readonly after?: AuditRows
}

describe('--plan', () => {
  /** A stored run with a plan that it kept to, in a folder where a run without it may have been before. */
  function stored(lost: number, { isBegun = true, after }: Stored = {}) {
    const rows = changedRows({ lost })
    const parts = partsOf(GateRule.parse({ margin: 0.1 }), stateOf(lost))
    const folder = freshFolder()
    const path = join(folder, 'plan.signed')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, planText({ ...parts, seeds: [1] }))
    const { digest } = readPlan(readFileSync(path, 'utf8'), path)
    if (after) {
      const earlier = { ...after.run, id: 'run-0', startedAt: rows.run.startedAt - 3_600_000 }
      storeAudit({ ...after, run: earlier }, folder)
    }
    storeAudit({ ...rows, ...(isBegun && { begunUnder: { digest, earlier: [] } }) }, folder)
    return { folder, path, digest }
  }
  const decidedIn = (folder: string) =>
    Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))).gate!

  test('a run that kept to it passes, and report and page say so', async () => {
    const { folder, path } = stored(0)
    const ran = await run('report', '--out-dir', folder, '--plan', path)
    expect(ran.code).toBe(0)
    expect(decidedIn(folder).plan?.deviations).toEqual([])
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('The run kept to it')
  })

  test('one that did not begin under it does not, in report or in compare', async () => {
    const { folder, path } = stored(0, { isBegun: false })
    const reported = await run('report', '--out-dir', folder, '--plan', path)
    expect(reported.code).toBe(101)
    expect(decidedIn(folder)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      plan: { deviations: [{ kind: 'begun' }] },
    })
    const sides = [folder, folder, '--arms', 'base,lora']
    const compared = await run('compare', ...sides, '--plan', path)
    expect(compared.code).toBe(101)
    expect(compared.stdout).toContain('it did not begin under the plan')
  })

  test('frozen after a run without it that asked the same is one look too many', async () => {
    const rows = changedRows({ lost: 0 })
    const { folder, path, digest } = stored(0, { after: rows })
    const ran = await run('report', '--out-dir', folder, '--plan', path)
    expect(ran.code).toBe(101)
    expect(decidedIn(folder).plan).toMatchObject({
      digest,
      deviations: [{ kind: 'looks', at: 'runs', planned: '1', found: '2' }],
    })
    const sides = [folder, folder, '--arms', 'base,lora']
    expect((await run('compare', ...sides, '--plan', path)).code).toBe(101)
  })

  test('of an earlier run that asked another fine-tune nothing is known', async () => {
    const { folder, path } = stored(0, { after: changedRows({ lost: 0 }, [2]) })
    expect((await run('report', '--out-dir', folder, '--plan', path)).code).toBe(0)
  })

  test('its gate decides, and another gate is a deviation', async () => {
    const { folder, path } = stored(0)
    const other = join(folder, 'other.yaml')
    writeFileSync(other, 'margin: 0.2\n')
    const junit = join(folder, 'run.junit.xml')
    await run('report', '--out-dir', folder, '--plan', path, '--gate', other, '-o', junit)
    expect(readFileSync(junit, 'utf8')).toContain(
      '<testcase classname="plan" name="gate: margin"><skipped message="planned 0.1, found 0.2"/>',
    )
    expect(decidedIn(folder).plan!.deviations).toEqual([
      { kind: 'gate', at: 'margin', planned: '0.1', found: '0.2' },
    ])
  })
})
