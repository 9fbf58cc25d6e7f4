// A reporter for jest: which test files took longest, so that a slow one is seen when it comes, and how much of
// the processor each took, which tells work from waiting; what its child processes took is not in it.
const SHOWN = 20;

export default class SlowestTests {
  onRunComplete(_contexts, { testResults }) {
    if (testResults.length <= SHOWN) return;
    const timed = testResults.map(({ testFilePath, perfStats: { start, end }, cpuSeconds = 0 }) => ({
      file: testFilePath.replace(/^.*?dist\//, '').replace(/\.js$/, '.ts'),
      seconds: (end - start) / 1000,
      cpuSeconds,
    }));
    const all = timed.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    process.stderr.write(
      `\nThe slowest ${SHOWN} of ${timed.length} files, which took ${all.toFixed(0)} s of CPU:\n`,
    );
    for (const { file, seconds, cpuSeconds } of timed.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN)) {
      const [took, cpu] = [seconds, cpuSeconds].map((number) => number.toFixed(1).padStart(7));
      process.stderr.write(`${took} s ${cpu} s of CPU  ${file}\n`);
    }
  }
}
