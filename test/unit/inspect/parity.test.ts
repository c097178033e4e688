/** @file The parity self-test: that it passes what is right, on WebGPU too where there is one, and that garbage fails it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compareParity, measureParity, PARITY_TOLERANCE } from '../../../evals/inspect/parity.ts'
import { openParityFixture, PARITY_FILE } from '../../../evals/inspect/parity-fixture.ts'
import type { ParityReport } from '../../../evals/inspect/parity.ts'
import { addon } from '../../../evals/native/load.ts'
import { makeParity } from '../../golden/make-parity.ts'
import { hasWebGpu, onWebGpu, webGpu } from '../../doubles/graph/webgpu.ts'
import { IS_LONG } from '../../doubles/tier.ts'

test('the fixture is what the golden case says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-parity-'))
  const made = join(folder, 'parity.safetensors')
  await makeParity(made)
  expect(readFileSync(made).equals(readFileSync(PARITY_FILE))).toBe(true)
  rmSync(folder, { recursive: true })
})

describe('the CPU', () => {
  let report: ParityReport
  beforeAll(async () => {
    report = await measureParity({ name: 'cpu', threads: 1 })
  })

  test('passes: every gradient, loss, weight and answer is PyTorch’s', () => {
    expect(report).toMatchObject({ passed: true, tolerance: PARITY_TOLERANCE })
    expect(report.worst).toBeLessThan(1e-5)
  })

  test('is compared in every trained tensor of both methods', async () => {
    const { model, numbers } = await openParityFixture()
    const of = new Set(report.rows.map((row) => row.of))
    for (const name of model.weights.keys()) {
      expect(of).toContain(`full.grad.${name}`)
      expect(of).toContain(`full.after5.${name}`)
    }
    const lora = [...numbers.keys()].filter((name) => /^lora\.(?:grad|after5)\./u.test(name))
    expect(lora).toHaveLength(2 * 2 * 7 * 2)
    for (const name of [...lora, 'lora.losses', 'full.losses', 'greedy.tokens'])
      expect(report.rows.find((row) => row.of === name)?.fromPyTorch, name).not.toBeNull()
  })
})

describe('numbers that are wrong', () => {
  const right = new Map([
    ['a', [1, 2, 3]],
    ['b', [4, 5]],
  ])
  test.each([
    ['off by a thousandth', ['b', [4, 5.006]]],
    ['unwritten', ['b', [0, 0]]],
    ['no numbers', ['b', [NaN, 5]]],
    ['missing', ['c', [4, 5]]],
    ['too few', ['b', [4]]],
  ] as const)('fail where they are %s', (_, [name, numbers]) => {
    const found = new Map<string, readonly number[]>([
      ['a', [1, 2, 3]],
      [name, numbers],
    ])
    expect(compareParity(found, right, new Map())).toMatchObject({ passed: false, of: 'b' })
  })

  test('fail where the CPU agrees and PyTorch does not', () => {
    const report = compareParity(right, right, new Map([['b', [4, 5.1]]]))
    expect(report).toMatchObject({ passed: false, of: 'b' })
    expect(compareParity(right, right, right).passed).toBe(true)
  })
})

// The short tier holds WebGPU to the same bounds through the command: test/unit/cli/device.test.ts.
test.runIf(IS_LONG && hasWebGpu)(
  onWebGpu('WebGPU passes, a hundred times closer than it must be'),
  async () => {
    const report = await measureParity(webGpu)
    expect(report.passed, report.of).toBe(true)
    expect(report.worst).toBeLessThan(1e-5)
    const both = report.rows.filter(({ of }) => /^(?:full|lora)\./u.test(of))
    expect(both.length).toBeGreaterThan(90)
    const resident = report.rows.filter(({ of }) => of.startsWith('resident.'))
    expect(resident.map(({ of }) => of)).toEqual(
      addon() ? both.map(({ of }) => `resident.${of}`) : [],
    )
    for (const { of, fromPyTorch } of resident)
      expect(fromPyTorch === null, of).toBe(
        both.find((each) => `resident.${each.of}` === of)!.fromPyTorch === null,
      )
  },
)
