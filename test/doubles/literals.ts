/** @file String literals of a source file: not those of imports, types, keys of objects or property accesses. */
import ts from 'typescript'
import { scriptOf } from './imports.ts'

/** Every value that a string literal or a template without holes has, in order. */
export function literalsOf(path: string, text: string): string[] {
  const script = path.endsWith('.vue') ? scriptOf(text) : text
  const file = ts.createSourceFile(path, script, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return
    if (ts.isStringLiteralLike(node) && !isName(node)) found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Whether it names a property: `x['name']`, `{ 'name': … }`. */
const isName = (node: ts.StringLiteralLike): boolean =>
  ts.isElementAccessExpression(node.parent) ||
  (ts.isPropertyAssignment(node.parent) && node.parent.name === node)
