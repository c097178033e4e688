/** @file The laws of the command line: every verb has help with examples that parse, and no two options share a name. */
import { describe, expect, test } from 'vitest'
import { AuditConfig, EvalConfig, SpectralConfig, TrainConfig } from '../../evals/audit/config.ts'
import { FederateConfig } from '../../evals/audit/federation/config.ts'
import { readArguments } from '../../evals/runs/options/arguments.ts'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { commandHelp, generalHelp } from '../../evals/cli/help.ts'
import { jobFields, readJobRequest } from '../../evals/cli/job-options.ts'
import { armsAsked, methodFields } from '../../evals/runs/options/methods.ts'
import { findMethod, METHODS } from '../../evals/finetune/registry.ts'
import { SweepConfig } from '../../evals/sweeps/config.ts'

const SCHEMAS = {
  audit: AuditConfig,
  eval: EvalConfig,
  federate: FederateConfig,
  spectral: SpectralConfig,
  sweep: SweepConfig,
  train: TrainConfig,
}

describe.each(COMMANDS.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
  test('has a summary, which is one imperative sentence, and examples of itself', async () => {
    const command = await entry.load()
    expect(entry.summary).toMatch(/^[A-Z][a-z-]*[^s] .*[^.]$/)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const example of command.examples)
      expect(example.startsWith(`touchstone ${name}`)).toBe(true)
  })

  test('has help that names every option and says something of it', async () => {
    const command = await entry.load()
    const help = commandHelp(entry, command)
    for (const field of command.options.flatMap(({ fields }) => fields)) {
      expect(help).toMatch(new RegExp(`--(no-)?${field.flag}\\b`))
      expect(field.help).not.toBe('')
    }
    expect(help).not.toMatch(/undefined|(?<!--)null|\[object/)
  })

  test('has examples whose options it knows', async () => {
    const command = await entry.load()
    const fields = command.options.flatMap(({ fields: inGroup }) => inGroup)
    for (const example of command.examples) {
      const argv = example.split(' ').slice(2)
      readArguments(argv, [...fields, ...methodFields(armsAsked(argv, undefined))])
    }
  })

  test('is in the general help', () => {
    expect(generalHelp(COMMANDS, '0')).toContain(`  ${name} `)
  })
})

describe.each(Object.entries(SCHEMAS))('options of %s', (_, schema) => {
  const { common, own, methods } = jobFields(schema, true)
  const flags = [...common, ...own, ...methods].map(({ flag }) => flag)

  test('are written in different ways', () => {
    expect(flags.filter((flag, index) => flags.indexOf(flag) < index)).toEqual([])
  })

  test('take no variable that means something else', () => {
    for (const reserved of ['long', 'debug']) expect(flags).not.toContain(reserved)
  })
})

describe.each(METHODS.map(({ name }) => name))('method %s', (name) => {
  test('can be chosen, and gets the configuration that its schema makes of nothing', () => {
    const fields = jobFields(AuditConfig, true)
    const argv = ['--model', 'm', '--data', 'd', '--methods', name]
    const request = readJobRequest(AuditConfig, fields, { argv, environment: {}, preset: {} })
    expect((request.config() as AuditConfig).methods).toEqual([
      { name, config: findMethod(name).config.parse({}) },
    ])
  })
})
