/** @file What wrappers of products with stored weights share: `int8-product.ts` and `nf4-product.ts`. */
import type { AddNode, Attributes, Domain, RuleGraph } from '../op.ts'

export interface Making {
  /** Adds nodes without widening their stored inputs. */
  readonly addNode: (domain: Domain) => AddNode
  readonly constant: RuleGraph['constant']
}

/** Recognises x·Wᵀ as written by `product` (`ops/linalg.ts`); gradients multiply by W itself. */
export const isForwardProduct = (opType: string, attributes: Attributes): boolean =>
  opType === 'FusedMatMul' &&
  attributes.transA === 0 &&
  attributes.transB === 1 &&
  (attributes.alpha as { readonly float: number }).float === 1
