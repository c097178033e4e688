/**
 * @file Three programs that speak OpenAI's API ask Pebble served, and their reports are read and paired: inspect_ai, promptfoo and
 * garak, with harmless questions only. Each is left out where it is not there: TOUCHSTONE_PYTHON names a Python with inspect_ai
 * (and openai), TOUCHSTONE_GARAK one with garak, TOUCHSTONE_PROMPTFOO the `dist/src/main.js` of promptfoo.
 */
import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComparedRun } from '../../evals/findings/gate/compared-run.ts'
import { serveModels } from '../../evals/hosts/model-server/server.ts'
import { importRuns } from '../../evals/interchange/import.ts'
import { openServed, type ServedModels } from '../../evals/measure/serving/open-served.ts'
import { loadModel } from '../../evals/models/load.ts'
import { modelPath } from '../../evals/models/model-path.ts'
import { writeAdapter } from '../doubles/models/random-adapter.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { oraclePython } from './smollm2.ts'

const run = promisify(execFile)
const TOKEN = 'a token of this test'
const MODELS = ['pebble', 'mine']
const folder = freshFolder()
let served: ServedModels
let server: Awaited<ReturnType<typeof serveModels>>

beforeAll(async () => {
  const { model, open } = await loadModel(modelPath('pebble'))
  const path = await writeAdapter(join(folder, 'adapter'), model, { seed: 1, size: 0.3 })
  await open.close()
  served = await openServed({
    ...{ model: 'pebble', baseName: 'pebble', device: { name: 'cpu', threads: 2 } },
    ...{ poolBytes: 2 ** 25, rows: 8, mostWaiting: 64, firstTokenMs: null },
    adapters: [{ name: 'mine', path }],
  })
  server = await serveModels({ served, token: TOKEN, port: 0 })
})
afterAll(async () => {
  await server.close()
  await served.close()
})

const QUESTIONS = [
  { question: 'When is breakfast?', word: 'breakfast' },
  { question: 'Where is the pool?', word: 'pool' },
  { question: 'May I bring my dog?', word: 'dog' },
]
const correct = ({ judged }: ComparedRun) =>
  judged.filter(({ outcome }) => outcome === 'correct').length

function expectPaired(base: ComparedRun, candidate: ComparedRun): void {
  // Programs ask side by side, and write in the order of the replies.
  const ids = ({ judged }: ComparedRun) =>
    judged.map(({ sampleId, epoch }) => `${sampleId} ${epoch}`).sort()
  expect(ids(candidate)).toEqual(ids(base))
}

const isPython = (python: string, ...modules: string[]) =>
  spawnSync(python, ['-c', modules.map((name) => `import ${name}`).join('; ')]).status === 0

const TASK = `
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def hotel():
    rows = ${JSON.stringify(QUESTIONS)}
    samples = [Sample(id=r["word"], input=r["question"], target=r["word"]) for r in rows]
    return Task(dataset=samples, solver=generate(), scorer=includes())
`

const inspect = oraclePython()
describe.skipIf(!isPython(inspect, 'inspect_ai', 'openai'))(
  'inspect_ai',
  { timeout: 600_000 },
  () => {
    test('asks the base and an adapter through its openai-api provider', async () => {
      writeFileSync(join(folder, 'task.py'), TASK)
      const runs: ComparedRun[] = []
      for (const model of MODELS) {
        const logs = join(folder, `logs-${model}`)
        const argv = [
          '-m',
          'inspect_ai',
          'eval',
          'task.py',
          '--model',
          `openai-api/touchstone/${model}`,
        ]
        const more = [
          '--temperature',
          '0',
          '--max-tokens',
          '24',
          '--display',
          'plain',
          '--log-dir',
          logs,
        ]
        await run(inspect, [...argv, ...more], {
          cwd: folder,
          env: { ...process.env, TOUCHSTONE_API_KEY: TOKEN, TOUCHSTONE_BASE_URL: server.address },
        })
        runs.push(...(await importRuns(join(logs, readdirSync(logs)[0]!))))
      }
      expectPaired(runs[0]!, runs[1]!)
      expect(correct(runs[0]!)).toBe(2)
      expect(correct(runs[1]!)).toBe(0)
    })
  },
)

const promptfoo = process.env['TOUCHSTONE_PROMPTFOO']
describe.skipIf(promptfoo === undefined)('promptfoo', { timeout: 600_000 }, () => {
  test('asks both in one evaluation', async () => {
    const config = { apiBaseUrl: server.address, temperature: 0, max_tokens: 24 }
    const settings = {
      prompts: ['{{question}}'],
      providers: MODELS.map((model) => ({ id: `openai:chat:${model}`, config })),
      tests: QUESTIONS.map(({ question, word }) => ({
        vars: { question },
        assert: [{ type: 'icontains', value: word }],
      })),
    }
    writeFileSync(join(folder, 'promptfooconfig.json'), JSON.stringify(settings))
    const argv = [promptfoo!, 'eval', '--no-cache', '-c', 'promptfooconfig.json', '-o', 'out.json']
    await run(process.execPath, argv, {
      cwd: folder,
      env: {
        ...process.env,
        OPENAI_API_KEY: TOKEN,
        PROMPTFOO_CONFIG_DIR: join(folder, 'promptfoo'),
        PROMPTFOO_DISABLE_TELEMETRY: '1',
        PROMPTFOO_DISABLE_UPDATE: '1',
        PROMPTFOO_DISABLE_REMOTE_GENERATION: 'true',
      },
    }).catch(({ code, stderr }: { code: number; stderr: string }) => {
      // 100: some tests failed, as they should.
      expect(code, stderr).toBe(100)
    })
    const runs = await importRuns(join(folder, 'out.json'))
    const of = (model: string) => runs.find(({ arm }) => arm === `openai:chat:${model}`)!
    expectPaired(of('pebble'), of('mine'))
    expect(correct(of('pebble'))).toBe(2)
    expect(correct(of('mine'))).toBe(0)
  })
})

const garak = process.env['TOUCHSTONE_GARAK']
describe.skipIf(garak === undefined)('garak', { timeout: 900_000 }, () => {
  test('probes both with its test probes, which are harmless', async () => {
    const runs: ComparedRun[] = []
    for (const model of MODELS) {
      const options = { openai: { OpenAICompatible: { uri: server.address, max_tokens: 24 } } }
      writeFileSync(join(folder, 'garak.json'), JSON.stringify(options))
      const argv = [
        '-m',
        'garak',
        '--target_type',
        'openai.OpenAICompatible',
        '--target_name',
        model,
      ]
      const probes = ['--probes', 'test.Test', '--generations', '2', '--report_prefix', model]
      await run(garak!, [...argv, ...probes, '--generator_option_file', 'garak.json'], {
        cwd: folder,
        env: {
          ...process.env,
          OPENAICOMPATIBLE_API_KEY: TOKEN,
          XDG_DATA_HOME: join(folder, 'data'),
        },
      })
      const report = join(folder, 'data', 'garak', 'garak_runs', `${model}.report.jsonl`)
      runs.push(...(await importRuns(report)))
    }
    expect(runs[0]!.judged.length).toBeGreaterThan(1)
    expectPaired(runs[0]!, runs[1]!)
  })
})
