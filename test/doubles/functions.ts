/** @file Functions that are longer than one can read at once. */
import ts from 'typescript'
import { scriptOf } from './imports.ts'

const MOST_LINES = 40

/** `PATH NAME` of each function with more than 40 lines, its own first and last among them. */
export function longFunctions(path: string, text: string): string[] {
  const code = path.endsWith('.vue') ? scriptOf(text) : text
  const source = ts.createSourceFile(`${path}.ts`, code, ts.ScriptTarget.Latest, true)
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line
  const found: string[] = []
  const visit = (node: ts.Node, around: string): void => {
    const name = nameOf(node) ?? around
    const isLong =
      ts.isFunctionLike(node) &&
      'body' in node &&
      node.body !== undefined &&
      lineAt(node.end) - lineAt(node.getStart()) + 1 > MOST_LINES
    if (isLong) found.push(`${path} ${name}`)
    ts.forEachChild(node, (child) => visit(child, name))
  }
  visit(source, '')
  return found
}

const nameOf = (node: ts.Node): string | undefined =>
  ts.isVariableDeclaration(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isFunctionDeclaration(node)
    ? node.name?.getText()
    : undefined
