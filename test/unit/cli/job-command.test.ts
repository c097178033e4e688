/** @file A job verb from its words to its exit code, files and database, with a job that needs no model. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Results } from '../../../evals/contract/results.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { lockFolder } from '../../../evals/runs/store/lock.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { asked } from '../../doubles/runs/fake-job.ts'

const runsIn = (folder: string) => {
  const store = openStore(join(folder, 'touchstone.db'))
  const runs = store.runs()
  store.close()
  return runs
}

const audit = (folder: string, ...words: string[]) =>
  runCommand(['audit', '--model', 'any', '--out-dir', folder, ...words])

describe('a new run', () => {
  test('writes database, results and report, and says the verdict', async () => {
    const folder = freshFolder()
    const { code, stdout } = await audit(folder)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^PASS {2}/)
    expect(stdout).toContain(join(folder, 'report.html'))
    const results = Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))
    expect(results.verdict.outcome).toBe('PASS')
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i)
    const [run] = runsIn(folder)
    expect(run).toMatchObject({ kind: 'audit', outcome: 'done', title: 'A fake audit of any' })
    expect(run!.id).toMatch(/^audit-\d{8}-\d{6}-[0-9a-f]{4}$/)
    expect(run!.engine).toMatchObject({ node: process.versions.node, device: 'cpu' })
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('further reports go where -o says, by extension', async () => {
    const folder = freshFolder()
    const [card, numbers] = [join(folder, 'deep', 'card.html'), join(folder, 'numbers.json')]
    expect((await audit(folder, '-o', card, '-o', numbers)).code).toBe(0)
    expect(readFileSync(card, 'utf8')).toBe(readFileSync(join(folder, 'report.html'), 'utf8'))
    expect(readFileSync(numbers, 'utf8')).toBe(readFileSync(join(folder, 'results.json'), 'utf8'))
  })

  test('a report of unknown format is refused before anything is written', async () => {
    const folder = freshFolder()
    const { code, stderr } = await audit(folder, '-o', 'card.docx')
    expect(code).toBe(2)
    expect(stderr).toContain('card.docx')
    expect(readdirSync(folder)).toEqual([])
  })

  test('a wrong setting leaves nothing behind', async () => {
    const folder = freshFolder()
    expect((await audit(folder, '--kept', '-1')).code).toBe(2)
    expect(readdirSync(folder)).toEqual([])
  })

  test('a device that cannot be used is an error before the run begins', async () => {
    const folder = freshFolder()
    const { code, stderr } = await audit(folder, '--device', 'cuda')
    expect(code).toBe(1)
    expect(stderr).toContain('The device "cuda" cannot be used')
    expect(runsIn(folder)).toEqual([])
  })

  test('a verb without reports says nothing of a verdict', async () => {
    const folder = freshFolder()
    const ran = await runCommand(['train', '--model', 'any', '--kept', '0', '--out-dir', folder])
    expect(ran).toMatchObject({ code: 0, stdout: '' })
    expect(existsSync(join(folder, 'results.json'))).toBe(false)
  })

  test('two processes cannot write to one folder', async () => {
    const folder = freshFolder()
    const unlock = lockFolder(folder)
    const busy = await audit(folder)
    expect(busy.code).toBe(1)
    expect(busy.stderr).toContain('Another process')
    unlock()
    expect((await audit(folder)).code).toBe(0)
  })
})

describe('exit codes', () => {
  test.each([
    ['PASS', ['--kept', '40'], 0],
    ['FAIL', ['--kept', '0'], 100],
    ['INCONCLUSIVE', ['--kept', '40', '--margin', '0.01'], 101],
    ['FAIL', ['--kept', '0', '--exit-zero'], 0],
  ])('verdict %s of %j', async (verdict, words, code) => {
    const ran = await audit(freshFolder(), ...words)
    expect(ran.code).toBe(code)
    expect(ran.stdout.split(' ')[0]).toBe(verdict)
  })

  test.each([
    ['world', 1, 'There is nothing at any.'],
    ['usage', 2, 'Wrong.'],
    ['bug', 1, 'A bug in Touchstone: the fake is broken'],
  ])('a failure of kind %s', async (kind, code, message) => {
    asked.length = 0
    const ran = await audit(freshFolder(), '--fail-at', '1', '--fail-with', kind)
    expect(ran.code).toBe(code)
    expect(ran.stdout).toBe('')
    expect(ran.stderr).toContain(`${message}\n`)
    expect(ran.stderr).not.toContain('    at ')
  })

  test('a bug shows its stack when asked to', async () => {
    asked.length = 0
    const { stderr } = await runCommand(
      [
        'audit',
        '--model',
        'any',
        '--out-dir',
        freshFolder(),
        '--fail-at',
        '1',
        '--fail-with',
        'bug',
      ],
      { TOUCHSTONE_DEBUG: '1' },
    )
    expect(stderr).toMatch(/^\s*at .*fake-job/m)
  })

  test('an unknown verb is a wrong command, answered with the near ones', async () => {
    const { code, stderr } = await runCommand(['audti'])
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean audit?')
  })
})

describe('--dry-run', () => {
  test('says the plan and changes nothing', async () => {
    const folder = join(freshFolder(), 'not-there')
    const { code, stdout } = await audit(folder, '--dry-run', '--steps', '12')
    expect(code).toBe(0)
    expect(stdout).toContain('12 steps')
    expect(stdout).toContain('80 prompts')
    expect(existsSync(folder)).toBe(false)
  })

  test('with --json it is one object with the command', async () => {
    const { stdout } = await audit('elsewhere', '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'plan',
      command: 'touchstone audit --model any --out-dir elsewhere',
      seconds: null,
    })
  })
})

describe('--json', () => {
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  test('every line of a run is JSON, the last is the result, and stderr is silent', async () => {
    const folder = freshFolder()
    const ran = await audit(folder, '--json', '--kept', '0')
    expect(ran).toMatchObject({ code: 100, stderr: '' })
    const told = lines(ran.stdout)
    expect(told.map(({ seq }) => seq).slice(0, -1)).toEqual(told.slice(1).map((_, i) => i + 1))
    expect(told[0]).toMatchObject({ type: 'job-start' })
    expect(told.at(-1)).toMatchObject({ type: 'result', verdict: 'FAIL', exitCode: 100 })
  })

  test.each([
    [['--wrong']],
    [['--kept', 'many']],
    [['--fail-at', '0', '--fail-with', 'bug']],
    [['--fail-at', '0', '--fail-with', 'world']],
  ])('a failure (%j) is one JSON line of type error', async (words) => {
    asked.length = 0
    const ran = await audit(freshFolder(), '--json', ...words)
    expect(ran.stderr).toBe('')
    const errors = lines(ran.stdout).filter(({ type }) => type === 'error')
    expect(errors).toHaveLength(1)
    expect(Object.keys(errors[0]!)).toEqual(['type', 'code', 'message', 'remedy'])
  })
})

describe('--quiet', () => {
  test('says only what was found', async () => {
    const ran = await audit(freshFolder(), '--quiet')
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/^PASS/)
  })
})

describe('text that comes from elsewhere', () => {
  test('escape sequences never reach the terminal', async () => {
    const ran = await runCommand(
      ['audit', '--model', 'a\u001b]0;title\u0007b\u001b[31m', '--out-dir', freshFolder()],
      {},
    )
    expect(ran.stdout + ran.stderr).not.toMatch(/[\u001b\u0007]/)
  })
})

describe('configuration', () => {
  test('flags win over variables, variables over the file, the file over defaults', async () => {
    const folder = freshFolder()
    const file = join(folder, 'config.json')
    const said = { model: 'from-file', mood: 'loud', kept: 3, training: { steps: 4, batchSize: 5 } }
    writeFileSync(file, JSON.stringify(said))
    await runCommand(['audit', '--config', file, '--kept', '9', '--out-dir', folder], {
      TOUCHSTONE_KEPT: '8',
      TOUCHSTONE_STEPS: '7',
    })
    expect(runsIn(folder)[0]!.config).toMatchObject({
      model: 'from-file',
      mood: 'loud',
      kept: 9,
      seeds: [0],
      training: { steps: 7, batchSize: 5 },
    })
  })

  test.each([
    ['a misspelt key', '{"model": "m", "marginn": 1}', 'margin'],
    ['a misspelt inner key', '{"model": "m", "training": {"step": 1}}', 'training.steps'],
    ['no JSON', '{"model": ', 'JSON'],
    ['no object', '[1]', 'one JSON object'],
    ['a wrong type', '{"model": 5}', '--model cannot be 5.'],
    ['methods of no known form', '{"model": "m", "methods": [7]}', '"methods"'],
    ['Latin-1', Buffer.from('{"model": "\xe9"}', 'latin1'), 'UTF-8'],
    ['a huge file', ' '.repeat((1 << 20) + 1), 'larger than'],
  ])('a file with %s is a wrong command', async (_, text, said) => {
    const file = join(freshFolder(), 'config.json')
    writeFileSync(file, text)
    const { code, stderr } = await runCommand(['audit', '--config', file, '--dry-run'])
    expect(code).toBe(2)
    expect(stderr).toContain(said)
  })

  test('a file that is not there is a wrong command', async () => {
    const { code, stderr } = await runCommand(['audit', '--config', 'nowhere.json'])
    expect(code).toBe(2)
    expect(stderr).toContain('nowhere.json')
  })
})
