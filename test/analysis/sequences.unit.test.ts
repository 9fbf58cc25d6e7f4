import { sequenceName } from '../../src/analysis/analysis.js';
import { rules, scan } from './scan.js';

const rowsOf = (...entries: string[]): string[] =>
  scan(entries.join('\n\n')).rows.map(
    ({ sequence, from, to }) => `${sequenceName(rules, sequence)} ${from.index} ${to.index}`,
  );
/** Events that begin no sequence and end none. */
const filler = (count: number): string[] => Array.from({ length: count }, (_, i) => `camera ${i}`);

describe('sequences', () => {
  test('the second within six events, the first that has it', () => {
    expect(rowsOf('hurt', 'safe', 'safe too')).toEqual(['HARM_LANGUAGE -> PROTECTOR_CLAIM 0 1']);
    expect(rowsOf('hurt', ...filler(5), 'safe')).toEqual(['HARM_LANGUAGE -> PROTECTOR_CLAIM 0 6']);
    expect(rowsOf('hurt', ...filler(6), 'safe')).toEqual([]);
  });

  test('entries without hits take no place', () => {
    expect(rowsOf('hurt', ...Array.from({ length: 20 }, (_, i) => `word ${i}`), 'safe')).toHaveLength(1);
  });

  test('an event makes none with itself', () => {
    expect(rowsOf('hurt but safe')).toEqual([]);
    expect(rowsOf('hurt but safe', 'hurt but safe again')).toEqual(['HARM_LANGUAGE -> PROTECTOR_CLAIM 0 1']);
  });

  test('events of another context use up places and do not match', () => {
    const inBetween = ['Rome 2020', 'safe in Rome', 'camera', 'Oslo 2019'];
    expect(rowsOf('Oslo 2019', 'hurt', ...inBetween, 'safe')).toEqual([
      'HARM_LANGUAGE -> PROTECTOR_CLAIM 0 3',
    ]);
    expect(rowsOf('Oslo 2019', 'hurt', 'Rome 2020', ...filler(6), 'Oslo 2019', 'safe')).toEqual([]);
  });

  test('rows come by their first event, then as the rules name them', () => {
    expect(rowsOf('stop, or I leak it', 'no', 'hurt', 'safe')).toEqual([
      'BOUNDARY_LANGUAGE -> HARM_LANGUAGE 0 2',
      'THREAT_OF_EXPOSURE -> PROTECTOR_CLAIM 0 3',
      'BOUNDARY_LANGUAGE -> HARM_LANGUAGE 1 2',
      'HARM_LANGUAGE -> PROTECTOR_CLAIM 2 3',
    ]);
  });

  test('an excerpt has 180 characters and never half of one', () => {
    const { rows } = scan(`hurt ${'😀'.repeat(400)}\n\nsafe`);
    expect(rows[0]?.from.excerpt).toBe(`hurt ${'😀'.repeat(175)}`);
    expect(rows[0]?.to.excerpt).toBe('safe');
  });
});
