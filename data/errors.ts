/** Bad input data: `file`, and `line` where one row is to blame (1-based). The command line prints the message alone. */
export class DataError extends Error {
  override readonly name = 'DataError';

  constructor(
    message: string,
    readonly file?: string,
    readonly line?: number,
  ) {
    const where = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}: `;
    super(where + message);
  }
}
