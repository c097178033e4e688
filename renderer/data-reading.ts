/** @file How a file of fine-tuning data is read, if its columns are not to decide. */
export interface Reading {
  readonly format: string | null
  /** `prompt=COLUMN,reply=COLUMN`. */
  readonly map: string | null
}
