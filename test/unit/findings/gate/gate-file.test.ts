/** @file What a gate may say, and what it is told when it says it wrongly. */
import { describe, expect, it } from 'vitest'
import { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'
import {
  LONGEST_GATE,
  parseGate,
  requireMeasured,
  storedGate,
} from '../../../../evals/findings/gate/gate-file.ts'

const read = (text: string) => parseGate(text, 'gate.yaml')

function thrownBy(act: () => unknown): TouchstoneError {
  try {
    act()
  } catch (error) {
    if (error instanceof TouchstoneError) return error as TouchstoneError
    throw error
  }
  throw new Error('nothing is wrong')
}

function problem(text: string): string {
  const { code, message } = thrownBy(() => read(text))
  expect(code).toBe('gate.unusable')
  return message
}

describe('a gate', () => {
  const whole = {
    alpha: 0.01,
    benchmarks: { refusals: { margin: 0.03, judge: 'house' }, sums: { margin: 0.05, alpha: 0.1 } },
    allowDifferences: ['seed'],
  }

  it('is read from YAML and from JSON alike', () => {
    const yaml = [
      'alpha: 0.01',
      'benchmarks:',
      '  refusals: { margin: 0.03, judge: house }   # a comment',
      '  sums:',
      '    margin: 0.05',
      '    alpha: 1e-1',
      'allowDifferences: [seed]',
    ].join('\n')
    expect(read(yaml)).toEqual(whole)
    expect(read(JSON.stringify(whole))).toEqual(whole)
    expect(read(`\ufeff${yaml.replaceAll('\n', '\r\n')}`)).toEqual(whole)
  })

  it('has α = 0.05 and allows nothing unless it says so', () => {
    expect(read('benchmarks: { a: { margin: 0.1 } }')).toEqual({
      alpha: 0.05,
      benchmarks: { a: { margin: 0.1 } },
      allowDifferences: [],
    })
  })

  it.each([
    ['', 'expected object'],
    ['just words', 'expected object'],
    ['alpha: 0.05', 'names no benchmark and no margin'],
    ['benchmarks: { a: { margin: 0.1, floor: 1.2 } }', '"benchmarks.a.floor"'],
    ['margin: 0.1\nreference: { margin: 0.1 }', '"reference.run"'],
    ['benchmarks: {}', 'names no benchmark'],
    ['benchmarks: { a: {} }', '"benchmarks.a.margin"'],
    ['benchmarks: { a: { margin: 0 } }', '"benchmarks.a.margin"'],
    ['benchmarks: { a: { margin: 5 } }', '"benchmarks.a.margin"'],
    ['benchmarks: { a: { margin: 5 } }', 'five points are 0.05'],
    ['benchmarks: { a: { margin: 0.1, floor: 97 } }', '97 % is 0.97'],
    ['benchmarks: { a: { margin: "0.1" } }', 'expected number'],
    ['benchmarks: { a: { margin: .nan } }', '"benchmarks.a.margin"'],
    ['benchmarks: { a: { margn: 0.1, margin: 0.1 } }', 'nothing is called "margn" here'],
    ['alpha: 0.7\nbenchmarks: { a: { margin: 0.1 } }', '"alpha"'],
    ['benchmarks: { a: { margin: 0.1 } }\nallowDifferences: [colour]', '"allowDifferences.0"'],
    ['benchmarks: { a: { margin: 0.1 }, a: { margin: 0.9 } }', 'unique'],
    ['benchmarks: { a: { margin: 0.1 }', 'Flow map'],
    ['a: &x 1\nbenchmarks: { b: { margin: *x } }', 'alias'],
    ['benchmarks: !!js/function { a: { margin: 0.1 } }', 'tag'],
    ['benchmarks: { a: { margin: 0.1 } }\n---\nalpha: 0.1', 'document'],
  ])('%j is refused, and told why', (text, why) => {
    const message = problem(text)
    expect(message).toContain(why)
    expect(message).toMatch(/^gate\.yaml is not a gate: .*\.$/)
    expect(message).not.toContain('\n')
  })

  it('is refused when it is far too long, before it is read', () => {
    expect(problem(`#${'x'.repeat(LONGEST_GATE)}`)).toContain('longer than')
  })

  it('does not reach into objects’ own names', () => {
    const gate = read('benchmarks: { constructor: { margin: 0.1 } }')
    expect(Object.keys(gate.benchmarks)).toEqual(['constructor'])
    expect(({} as { margin?: number }).margin).toBeUndefined()
  })
})

describe('what a gate names', () => {
  const measured = [
    { name: 'house-refusal', judges: ['semantic', 'house'] },
    { name: 'sums', judges: ['answer-match'] },
  ]
  const check = (more: string, fineTunes?: string[]) => () =>
    requireMeasured(read(`margin: 0.1\n${more}`), measured, fineTunes)

  it.each([
    ['independent: [house-refusals]', 'benchmark "house-refusals"', 'Did you mean house-refusal?'],
    ['trust: [semantics]', 'judge "semantics"', 'Did you mean semantic?'],
    ['distinct: [loras]', 'fine-tune "loras"', 'Did you mean lora?'],
    ['distinct: [other]', 'fine-tune "other"', 'It has: lora, full.'],
  ])('%s is refused where the run has no such thing', (more, what, remedy) => {
    const error = thrownBy(check(more, ['lora', 'full']))
    expect(error.code).toBe('gate.not-measured')
    expect(error.message).toContain(what)
    expect(error.remedy).toContain(remedy)
  })

  it('passes where the run has it, and where the judges or fine-tunes are not known yet', () => {
    expect(check('independent: [sums]\ntrust: [house]\ndistinct: [lora]', ['lora'])).not.toThrow()
    expect(check('distinct: [other]')).not.toThrow()
    const unjudged = [{ name: 'sums' }]
    expect(() => requireMeasured(read('margin: 0.1\ntrust: [any]'), unjudged)).not.toThrow()
  })
})

describe('a stored configuration', () => {
  it('holds a gate, or none', () => {
    expect(storedGate({ gate: { benchmarks: { a: { margin: 0.1 } } } })?.benchmarks).toEqual({
      a: { margin: 0.1 },
    })
    for (const config of [null, {}, { gate: {} }, { gate: { benchmarks: { a: 1 } } }]) {
      expect(storedGate(config)).toBeUndefined()
    }
  })
})
