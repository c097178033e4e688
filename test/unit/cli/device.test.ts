/** @file `--device` from its words to the trained losses: refused before the self-test has passed, and the CPU's numbers after. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { hasWebGpu, onWebGpu } from '../../doubles/graph/webgpu.ts'
import { sampled } from '../../doubles/tier.ts'

const script = join(import.meta.dirname, '../../../evals/bin/touchstone.js')
const cache = freshFolder()

const touchstone = (...words: string[]) =>
  spawnSync(process.execPath, [script, ...words], {
    encoding: 'utf8',
    // Compiled shaders may outlive the test, what it found of the device may not.
    env: {
      MESA_SHADER_CACHE_DIR: process.env['XDG_CACHE_HOME'],
      ...process.env,
      XDG_CACHE_HOME: cache,
    },
  })

const METHODS = sampled(['lora', 'full'], 1)
const PLAN = `--model pebble --data house-benign --methods ${METHODS.join()} --steps 3 --batch-size 2`
const trainOn = (device: string, ...words: string[]) =>
  touchstone('train', ...PLAN.split(' '), '--device', device, '--out-dir', freshFolder(), ...words)

interface Line {
  readonly type: string
  readonly row?: { readonly arm: string; readonly name: string; readonly value: number }
}

const lossesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .flatMap(({ type, row }) =>
      type === 'metric' && row?.name === 'train/loss' ? [row.value] : [],
    )

describe('without the self-test', () => {
  test.each(['cuda', 'webgpu'])('%s is refused, with the command that runs it', (device) => {
    const { status, stderr } = trainOn(device)
    expect(status).toBe(1)
    expect(stderr).toContain(`The device "${device}" cannot be used`)
    expect(stderr).toContain(`touchstone doctor --device ${device} --parity`)
  })

  test('--parity asks which device', () => {
    const { status, stderr } = touchstone('doctor', '--parity')
    expect(status).toBe(2)
    expect(stderr).toContain('--device')
  })
})

test('the CPU itself is compared with PyTorch', () => {
  const { status, stdout } = touchstone('doctor', '--device', 'cpu', '--parity')
  expect(status).toBe(0)
  expect(stdout).toMatch(/lora\.grad\.\S+lora_A\.weight/u)
  expect(stdout).toMatch(/^cpu passed: /mu)
})

describe.skipIf(!hasWebGpu)(onWebGpu('WebGPU'), () => {
  let told: string
  beforeAll(() => {
    const { status, stdout } = touchstone('doctor', '--device', 'webgpu', '--parity', '--json')
    expect(status).toBe(0)
    told = stdout
  })

  test('passes, tensor by tensor', () => {
    const report = JSON.parse(told) as { passed: boolean; worst: number; rows: unknown[] }
    expect(report.passed).toBe(true)
    expect(report.worst).toBeLessThan(1e-5)
    expect(report.rows.length).toBeGreaterThan(90)
    expect(touchstone('doctor', '--device', 'webgpu').stdout).toMatch(/✓ webgpu +passed/u)
  })

  test('trains Pebble to the CPU’s losses, five digits of them', () => {
    const [cpu, gpu] = ['cpu', 'webgpu'].map((device) => {
      const { status, stdout, stderr } = trainOn(device, '--json')
      expect(status, stderr).toBe(0)
      return lossesOf(stdout)
    })
    expect(cpu).toHaveLength(3 * METHODS.length)
    expect(gpu!.map((loss) => loss.toPrecision(5))).toEqual(cpu!.map((loss) => loss.toPrecision(5)))
  })
})
