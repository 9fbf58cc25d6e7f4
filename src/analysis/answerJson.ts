import type { AnswerHead } from './answer.js';
import { CSVS } from './answer.js';
import type { RunningAnswer } from './pool.js';
import { TooLarge } from './unzip.js';

/** The answer as JSON, as it comes: a CSV may be larger than what should be held. */
export async function* answerJson({ head, pieces }: RunningAnswer): AsyncGenerator<string | Uint8Array> {
  yield JSON.stringify(head).slice(0, -1);
  let current: string | undefined;
  for await (const { csv, json } of pieces) {
    if (csv !== current) yield `${current === undefined ? '' : '"'},"${csv}":"`;
    current = csv;
    yield json;
  }
  if (current !== CSVS.at(-1)) throw new Error('a CSV is missing');
  yield '"}';
}

/** All of an answer as JSON but the CSVs, which may be long. */
export function headIn(answer: Buffer): AnswerHead {
  // Within a text the quotes would be escaped.
  const end = answer.indexOf(`,"${CSVS[0]}":"`);
  return JSON.parse(`${answer.subarray(0, end).toString()}}`) as AnswerHead;
}

/** The same whole. @throws TooLarge for more than `most` bytes */
export async function wholeAnswer(running: RunningAnswer, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of answerJson(running)) {
      const buffer = typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece);
      bytes += buffer.length;
      if (bytes > most) throw new TooLarge();
      pieces.push(buffer);
    }
    return Buffer.concat(pieces, bytes);
  } finally {
    running.close();
  }
}
