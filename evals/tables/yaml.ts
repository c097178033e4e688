/** @file YAML as plain data (core schema): tags, anchors and aliases are refused, keys are unique. */
import { isAlias, parseDocument, stringify, visit } from 'yaml'

/** What is wrong with a text, in one line. */
export class YamlProblem extends Error {}

export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { schema: 'core', strict: true, uniqueKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) throw new YamlProblem(problem.message.split('\n', 1)[0]!.replace(/:$/, ''))
  visit(document, (_, node) => {
    if (isAlias(node)) throw new YamlProblem('it uses an alias (*)')
  })
  return document.toJS({ maxAliasCount: 0 })
}

/** Plain data as YAML: no anchors, lines as long as their texts. */
export const yamlText = (value: unknown): string =>
  stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 })
