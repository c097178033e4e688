/** @file What the loader adds to the rows of a benchmark whose questions come after solved ones; no file has such columns. */

/** True in rows of the file with the solved examples. */
export const EXAMPLE = '(example)'
/** The file’s name without its extension. */
export const FILE_STEM = '(file)'
