// A reporter for jest: which test files took longest, so that a slow one is seen when it comes.
const SHOWN = 20;

export default class SlowestTests {
  onRunComplete(_contexts, { testResults }) {
    const timed = testResults
      .map(({ testFilePath, perfStats: { start, end } }) => ({
        file: testFilePath.replace(/^.*?dist\//, '').replace(/\.js$/, '.ts'),
        seconds: (end - start) / 1000,
      }))
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN);
    if (testResults.length <= SHOWN) return;
    process.stderr.write(`\nThe slowest ${timed.length} of ${testResults.length} files:\n`);
    for (const { file, seconds } of timed)
      process.stderr.write(`${seconds.toFixed(1).padStart(7)} s  ${file}\n`);
  }
}
