/** @file Methods and their settings on the command line, and the command line that a configuration gives back. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import type { MethodChoice } from '../../../../evals/finetune/method-choice.ts'
import { QUICKSTART } from '../../../../evals/runs/kinds/quickstart.ts'
import type { Layer } from '../../../../evals/runs/options/flags.ts'
import { jobFields, readJobRequest } from '../../../../evals/cli/job-options.ts'
import {
  commandLine,
  firstDifference,
  shellQuoted,
} from '../../../../evals/runs/options/reproduce.ts'
import { full } from '../../../../evals/finetune/methods/full.ts'
import { lora } from '../../../../evals/finetune/methods/lora.ts'

const fields = jobFields(AuditConfig, true)

test('a method’s schema is read once for all verbs and their help', () => {
  const again = jobFields(AuditConfig, true)
  const shared = fields.methods.filter(({ flag }) => flag === 'rank' || flag === 'alpha')
  expect(shared).toHaveLength(2)
  for (const field of shared) expect(again.methods).toContain(field)
})
const parse = (argv: readonly string[], preset: Layer = {}, environment = {}) =>
  readJobRequest(AuditConfig, fields, { argv, environment, preset }).config() as AuditConfig
const words = (text: string) => ['--model', 'm', '--data', 'd', ...text.split(' ').filter(Boolean)]
const methodsOf = (text: string, environment = {}) => parse(words(text), {}, environment).methods

describe('--methods', () => {
  test('no method is named unless one is', () => {
    expect(methodsOf('')).toEqual([])
  })

  test('a method gets its defaults', () => {
    expect(methodsOf('--methods lora')).toEqual([{ name: 'lora', config: lora.config.parse({}) }])
  })

  test('a setting goes to every chosen method that has it, and to no other', () => {
    const [first, second] = methodsOf('--methods full,lora --rank 4 --target-modules q_proj,v_proj')
    expect(first).toEqual({ name: 'full', config: full.config.parse({}) })
    const own = { rank: 4, targetModules: ['q_proj', 'v_proj'] }
    expect(second!.config).toEqual({ ...lora.config.parse({}), ...own })
  })

  test('a setting can be given to one method alone', () => {
    const [first] = methodsOf('--methods lora --rank 4 --lora.rank 5')
    expect(first!.config['rank']).toBe(5)
  })

  test('one method can stand beside itself, each arm with a name and settings of its own', () => {
    const text = '--methods low=lora,high=lora,full --rank 4 --low.rank 2 --lora.alpha 8'
    const [low, high, full] = methodsOf(text)
    const settings = ({ arm, name, config: { rank, alpha } }: MethodChoice) => [
      arm,
      name,
      rank,
      alpha,
    ]
    expect([low, high].map((choice) => settings(choice!))).toEqual([
      ['low', 'lora', 2, 8],
      ['high', 'lora', 4, 8],
    ])
    expect(full!.arm).toBeUndefined()
  })

  test('a variable sets a method’s setting where a chosen method has it', () => {
    const environment = { TOUCHSTONE_RANK: '3' }
    expect(methodsOf('--methods lora', environment)[0]!.config['rank']).toBe(3)
    expect(methodsOf('--methods full', environment)).toHaveLength(1)
  })

  test.each([
    ['--methods full --rank 4', '--rank belongs to lora, and the methods are full.'],
    ['--rank 4', '--rank belongs to lora, and no method was named.'],
    ['--methods lora --full.train-embeddings', '--full.train-embeddings belongs to full'],
    ['--methods lora,lora', 'The method "lora" is named twice.'],
    ['--methods a=lora,a=lora', 'The method "a" is named twice.'],
    ['--methods full=lora', '"full=lora" names no variant.'],
    ['--methods base=lora', '"base=lora" names no variant.'],
    ['--methods a.b=lora', '"a.b=lora" names no variant.'],
    ['--methods a=lora=lora', '"a=lora=lora" names no variant.'],
    ['--methods a=lora --b.rank 2', 'There is no option named "--b.rank".'],
    ['--methods lroa', 'There is no method named "lroa".'],
    ['--methods lora --rank 0', '--rank cannot be 0.'],
    ['--methods lora --rank-pattern down_proj', '--rank-pattern'],
    ['--methods lora --alpha-pattern down_proj=0', '--alpha-pattern'],
    ['--methods lora --raank 4', 'There is no option named "--raank".'],
  ])('%s is refused', (text, message) => {
    expect(() => methodsOf(text)).toThrow(message)
  })
})

describe('methods in a preset or file', () => {
  const preset = {
    model: 'm',
    methods: [{ name: 'lora', config: { rank: 2 } }, 'full'],
  }

  test('stand until flags name others, and keep their settings if they are named again', () => {
    expect(parse([], preset).methods.map(({ name }) => name)).toEqual(['lora', 'full'])
    const [only, none] = parse(['--methods', 'lora'], preset).methods
    expect([only!.config['rank'], none]).toEqual([2, undefined])
    expect(parse(['--rank', '3'], preset).methods[0]!.config['rank']).toBe(3)
  })

  test('name arms, whose flags then stand', () => {
    const named = {
      model: 'm',
      methods: ['low=lora', { name: 'lora', arm: 'high', config: { rank: 9 } }],
    }
    const ranks = parse(['--low.rank', '3'], named).methods.map(({ arm, config }) => [
      arm,
      config['rank'],
    ])
    expect(ranks).toEqual([
      ['low', 3],
      ['high', 9],
    ])
  })

  test('an unknown setting is answered with the near ones', () => {
    const wrong = { model: 'm', methods: [{ name: 'lora', config: { rnak: 2 } }] }
    expect(() => parse([], wrong)).toThrow('There is no setting of lora named "rnak".')
  })
})

/** As a shell would split it. */
function splitByShell(line: string): string[] {
  const script = `printf '%s\\0' ${line}`
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

describe('the command that a run is recorded with', () => {
  test('holds only what is not the default', () => {
    const line = commandLine('audit', fields.own, parse(words('--methods lora --steps 100')))
    expect(line).toBe('touchstone audit --model m --data d --methods lora')
  })

  test('of an unchanged preset is the verb alone', () => {
    const config = parse([], QUICKSTART)
    expect(commandLine('quickstart', fields.own, config, { preset: QUICKSTART })).toBe(
      'touchstone quickstart',
    )
  })

  test.each([
    [['--seeds', '3,1', '--no-spectra', '--margin', '0.1', '--threads', '2', '--limit', '5']],
    [['--candidate', 'a b/c,d', '--candidate', "it's", '--candidate', '$(x)', '--suite', 'a,b']],
    [['--candidate=-dash', '--learning-rate', '1e-8', '--keep-weights', '"quoted" ; rm']],
    [['--methods', 'full,lora', '--rank', '3', '--no-train-embeddings', '--target-modules', 'q']],
    [['--methods', 'lora,rslora', '--rank-pattern', 'down_proj=4,v_proj=2', '--alpha', '3']],
    [['--methods', 'low=lora,high=lora', '--low.rank', '2', '--alpha', '5']],
    [['--batch-size', '3', '--eval-batch-size', '4', '--eval-every', '7', '--device', 'cpu']],
    [['--candidate', 'line\nbreak', '--candidate', '\u00e9\u4e2d']],
  ])('gives %j again', (argv) => {
    const config = parse(['--model', 'm', '--data', 'd', ...argv])
    const again = splitByShell(commandLine('audit', fields.own, config))
    expect(again.slice(0, 2)).toEqual(['touchstone', 'audit'])
    expect(parse(again.slice(2))).toEqual(config)
  })

  test('quotes what a shell would read', () => {
    expect([shellQuoted('a/b-1.x'), shellQuoted("it's"), shellQuoted('')]).toEqual([
      'a/b-1.x',
      `'it'\\''s'`,
      `''`,
    ])
  })
})

describe('the first difference of two configurations', () => {
  test.each([
    [{ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, undefined],
    [{ a: 1 }, { a: 2 }, 'a'],
    [{ b: { c: [1, 2] } }, { b: { c: [2, 1] } }, 'b.c'],
    [{ b: { c: [1] } }, { b: { c: [1, 2] } }, 'b.c'],
    [{ a: 1 }, { a: 1, z: null }, 'z'],
    [{ a: 0 }, { a: -0 }, undefined],
  ])('%j and %j: %s', (a, b, path) => {
    expect(firstDifference(a, b)).toBe(path)
  })
})
