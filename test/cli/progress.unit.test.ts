import { progressBar } from '../../src/cli/progress.js';

function written(isTTY: boolean | undefined, steps: readonly [string, number, number][]): string {
  let text = '';
  const bar = progressBar({ ...(isTTY !== undefined && { isTTY }), write: (more: string) => (text += more) });
  for (const step of steps) bar.show(...step);
  bar.end();
  return text;
}

describe('progress on a terminal', () => {
  it('is a bar that is drawn over itself, and ends its line', () => {
    expect(
      written(true, [
        ['Patterns', 0, 4],
        ['Patterns', 1, 4],
        ['Patterns', 4, 4],
      ]),
    ).toBe(
      `\rPatterns               [${' '.repeat(24)}] 0/4` +
        `\rPatterns               [${'#'.repeat(6)}${' '.repeat(18)}] 1/4` +
        `\rPatterns               [${'#'.repeat(24)}] 4/4\n`,
    );
  });

  it('has a line for each step', () => {
    const lines = written(true, [
      ['One', 1, 2],
      ['Two', 1, 2],
    ]).split('\n');
    expect(lines.map((line) => line.trim().split(/\s/)[0])).toEqual(['One', 'Two', '']);
  });

  it('is full where there is nothing to do', () => {
    expect(written(true, [['Patterns', 0, 0]])).toContain(`[${'#'.repeat(24)}] 0/0`);
  });
});

describe('progress elsewhere, e.g. in a log', () => {
  it.each([false, undefined])('is one line for each step, when it begins (isTTY: %s)', (isTTY) => {
    expect(
      written(isTTY, [
        ['One', 0, 2],
        ['One', 1, 2],
        ['One', 2, 2],
        ['Two', 0, 1],
      ]),
    ).toBe('One …\nTwo …\n');
  });
});

it('writes nothing where nothing happened', () => {
  expect([written(true, []), written(false, [])]).toEqual(['', '']);
});
