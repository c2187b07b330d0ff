import { StringDecoder } from 'node:string_decoder';
import { DataError } from '../errors.js';

/** Lines that follow one another, without their ends. */
export interface Lines {
  /** Number of the first, 1-based. */
  readonly first: number;
  readonly texts: readonly string[];
}

// A longer line means that the file is no text of lines, and would be held in memory as a whole.
const MAX_LINE_CHARACTERS = 1 << 26;

/** The lines of a text, a piece of its bytes at a time; \n or \r\n ends one. Throws DataError on an endless line. */
export async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  encoding: 'utf8' | 'latin1' = 'utf8',
): AsyncGenerator<Lines> {
  const decoder = new StringDecoder(encoding);
  let first = 1;
  let rest = '';
  for await (const chunk of bytes) {
    const texts = (rest + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))).split(
      '\n',
    );
    rest = texts.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new DataError(
        `a line of more than ${MAX_LINE_CHARACTERS} characters`,
        file,
        first + texts.length,
      );
    }
    if (texts.length > 0) yield { first, texts: cleaned(texts, first) };
    first += texts.length;
  }
  rest += decoder.end();
  if (rest !== '') yield { first, texts: cleaned([rest], first) };
}

function cleaned(texts: string[], first: number): readonly string[] {
  if (first === 1 && texts[0].startsWith('\uFEFF')) texts[0] = texts[0].slice(1);
  return texts.map((text) => (text.endsWith('\r') ? text.slice(0, -1) : text));
}
