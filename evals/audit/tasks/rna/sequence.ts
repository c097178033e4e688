/** @file What is read off a transcript without a network: open reading frames, GC content, k-mers, likeness. */

const START = 'ATG'
export const STOPS: ReadonlySet<string> = new Set(['TAA', 'TAG', 'TGA'])
const CODON = 3

/** Nucleotides of the longest open reading frame of the given strand, from ATG to its stop; 0 if there is none. */
export function longestFrame(sequence: string): number {
  let longest = 0
  for (let frame = 0; frame < CODON; frame++) {
    let start: number | undefined
    for (let i = frame; i + CODON <= sequence.length; i += CODON) {
      const codon = sequence.slice(i, i + CODON)
      if (start === undefined && codon === START) start = i
      if (start === undefined || !STOPS.has(codon)) continue
      longest = Math.max(longest, i + CODON - start)
      start = undefined
    }
  }
  return longest
}

export function gcContent(sequence: string): number {
  const known = sequence.replaceAll('N', '')
  return known === '' ? 0 : known.replaceAll(/[AT]/gu, '').length / known.length
}

/** Share of each k-mer among those without N, `[4^k]`, in the order of base 4 with A 0, C 1, G 2, T 3. */
export function kmerShares(sequence: string, k: number): number[] {
  const counts = new Array<number>(4 ** k).fill(0)
  let all = 0
  for (const kmer of kmersIn(sequence, k)) {
    counts[[...kmer].reduce((number, letter) => 4 * number + 'ACGT'.indexOf(letter), 0)]!++
    all++
  }
  return counts.map((count) => (all === 0 ? 0 : count / all))
}

function* kmersIn(sequence: string, k: number): Iterable<string> {
  for (let i = 0; i + k <= sequence.length; i++) {
    const kmer = sequence.slice(i, i + k)
    if (!kmer.includes('N')) yield kmer
  }
}

const COMPLEMENT: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A', N: 'N' }
const reversed = (sequence: string) =>
  [...sequence]
    .toReversed()
    .map((letter) => COMPLEMENT[letter]!)
    .join('')

/** Both strands of a k-mer count as one, so that a reverse complement is alike. */
const canonical = (kmer: string) => {
  const other = reversed(kmer)
  return kmer < other ? kmer : other
}

const LIKE = { k: 12, jaccard: 0.5 }

/** For each sequence the first of its group: two are alike where the Jaccard index of their 12-mers is at least ½. */
export function groupsOf(sequences: readonly string[]): number[] {
  const first = sequences.map((_, i) => i)
  const root = (i: number): number => (first[i] === i ? i : (first[i] = root(first[i]!)))
  const owners = new Map<string, number[]>()
  const sizes: number[] = []
  sequences.forEach((sequence, i) => {
    const own = new Set([...kmersIn(sequence, LIKE.k)].map(canonical))
    sizes.push(own.size)
    const shared = new Map<number, number>()
    for (const kmer of own) {
      const earlier = owners.get(kmer) ?? []
      for (const j of earlier) shared.set(j, (shared.get(j) ?? 0) + 1)
      owners.set(kmer, earlier)
      earlier.push(i)
    }
    for (const [j, count] of shared) {
      const isLike = count / (own.size + sizes[j]! - count) >= LIKE.jaccard
      if (isLike) first[Math.max(root(i), root(j))] = Math.min(root(i), root(j))
    }
  })
  return sequences.map((_, i) => root(i))
}
