/** From which row of which file each item came, a number each. */
export class FileRows {
  private readonly files: { readonly name: string; readonly start: number }[] = []
  /** The row of each in its file, 0 where that is not known. */
  private readonly rows: number[] = []

  note(file: string, row: number | null): void {
    if (this.files.at(-1)?.name !== file) this.files.push({ name: file, start: this.rows.length })
    this.rows.push(row ?? 0)
  }

  /** Refuses an id that is there twice, and says where. */
  refusal(id: string, first: number, second: number): Error {
    return new RangeError(
      `the id ${JSON.stringify(id)} is there twice, at ${this.at(first)} and ${this.at(second)}; ids name one item each: choose one, or have the last count by --last-wins`,
    )
  }

  private at(item: number): string {
    const [file, row] = [this.files.findLast(({ start }) => start <= item)?.name, this.rows[item]]
    return row === 0 ? `${file}` : `${file}:${row}`
  }
}
