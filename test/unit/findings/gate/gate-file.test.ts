/** @file What a gate may say, and what it is told when it says it wrongly. */
import { describe, expect, it } from 'vitest'
import { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'
import { LONGEST_GATE, parseGate, storedGate } from '../../../../evals/findings/gate/gate-file.ts'

const read = (text: string) => parseGate(text, 'gate.yaml')

function problem(text: string): string {
  try {
    read(text)
  } catch (error) {
    if (error instanceof TouchstoneError && error.code === 'gate.unusable') return error.message
    throw error
  }
  throw new Error(`nothing is wrong with ${text}`)
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
