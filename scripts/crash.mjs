// `npm run test:crash`: the crash test with 200 rounds instead of 10. CRASH_ROUNDS and CRASH_SEED choose others.
process.env.CRASH_ROUNDS ??= '200';
process.argv.push('test/crash/');
await import('./test.mjs');
