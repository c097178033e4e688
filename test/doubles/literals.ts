/** @file String literals of a source file: not those of imports, types, keys of objects or property accesses. */
import ts from 'typescript'
import { scriptOf } from './imports.ts'

interface Literal {
  readonly text: string
  /** The source text that the literal is compared with, or of the function it is an argument of; empty elsewhere. */
  readonly beside: string
}

/** Every value that a string literal or a template without holes has, in order. */
export function literalsOf(path: string, text: string): Literal[] {
  const script = path.endsWith('.vue') ? scriptOf(text) : text
  const file = ts.createSourceFile(path, script, ts.ScriptTarget.Latest, true)
  const found: Literal[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return
    if (ts.isStringLiteralLike(node) && !isName(node)) {
      found.push({ text: node.text, beside: besideOf(node)?.getText(file) ?? '' })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Whether it names a property: `x['name']`, `{ 'name': … }`. */
const isName = (node: ts.StringLiteralLike): boolean =>
  ts.isElementAccessExpression(node.parent) ||
  (ts.isPropertyAssignment(node.parent) && node.parent.name === node)

/** `y` of `y === 'x'`, `switch (y) { case 'x': }`, `['x'].includes(y)` and `y('x')`. */
function besideOf(node: ts.Expression): ts.Node | undefined {
  const { parent } = node
  if (ts.isBinaryExpression(parent)) return parent.left === node ? parent.right : parent.left
  if (ts.isCaseClause(parent)) return parent.parent.parent.expression
  if (ts.isCallExpression(parent)) return parent.expression
  if (!ts.isArrayLiteralExpression(parent)) return undefined
  const call = parent.parent.parent
  return ts.isPropertyAccessExpression(parent.parent) && ts.isCallExpression(call)
    ? call.arguments[0]
    : undefined
}
