/** @file How a file of fine-tuning data is to be read, where its columns shall not decide. */
export interface Reading {
  readonly format: string | null
  /** `prompt=COLUMN,reply=COLUMN`. */
  readonly map: string | null
}
