// The layout's rule (README, "Layout"), held by `npm test`.
const { existsSync, readdirSync } = require('node:fs');

// A capability is a folder with a front door.
const FOLDERS = readdirSync('src').filter((name) => existsSync(`src/${name}/index.ts`));
const CAPABILITIES = `^src/(${FOLDERS.join('|')})/`;
/** A decider and, where it is in parts, what it is made of. */
const DECIDERS = '(decide\\w*|state|record\\w+)';
const ROOT = '^src/(main\\.ts|composition/|cli/)';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'adapters-only-from-the-root',
      comment: 'Only the composition root, command-line tools, benchmarks and tests know adapters.',
      severity: 'error',
      from: { pathNot: [ROOT, '^(src/adapters/|bench/|test/)'] },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'events-import-no-layer',
      comment: 'events ← decide ← the rest',
      severity: 'error',
      from: { path: `${CAPABILITIES}events\\.ts$` },
      to: { path: `${CAPABILITIES}(?!events\\.ts|profile\\.ts)` },
    },
    {
      name: 'deciders-import-events-only',
      comment: 'And what texts may be like, which is pure.',
      severity: 'error',
      from: { path: `${CAPABILITIES}${DECIDERS}\\.ts$` },
      to: {
        path: '^(src|projections)/',
        pathNot: `^src/(eventsourcing/|text/|money/|canonicalJson|config)|${CAPABILITIES}(events|profile|meters|prices|${DECIDERS})\\.ts$`,
      },
    },
    {
      name: 'read-models-import-events',
      comment: 'A read model knows capabilities by their events alone.',
      severity: 'error',
      from: { path: '^projections/', pathNot: '^projections/index\\.ts$' },
      to: {
        path: '^src/',
        pathNot: `^src/(eventsourcing|sql)/|^src/following/(readModel|answerCache)\\.ts$|^src/(boundedMap|exactSum)\\.ts$|^src/usage/(limits/(amounts|periods)|journal/readUses)\\.ts$|${CAPABILITIES}events\\.ts$`,
      },
    },
    {
      name: 'reads-only-through-queries',
      comment: 'Whoever reads a read model does it through its queries.',
      severity: 'error',
      from: { path: '^src/', pathNot: `${ROOT}|^src/capabilit(y|ies)\\.ts$` },
      to: { path: '^projections/', pathNot: '(queries|reports|search|sketches|vectors)\\.ts$' },
    },
    {
      name: 'the-engine-knows-no-capability',
      comment: 'What feeds read models and policies is given them.',
      severity: 'error',
      from: { path: '^src/(eventsourcing|following)/' },
      to: { path: `^projections/|${CAPABILITIES}|^src/(graphql|gate|http)/` },
    },
    {
      name: 'capabilities-know-no-transport',
      comment: 'Of GraphQL they use the kit and the prices; routes of HTTP they declare.',
      severity: 'error',
      from: { path: CAPABILITIES },
      to: { path: '^src/(gate|http|graphql/(execution|transport)|rest/serve)' },
    },
    {
      name: 'the-gate-knows-no-transport',
      severity: 'error',
      from: { path: '^src/gate/' },
      to: { path: '^src/(http|rest|graphql/(execution|transport))/' },
    },
    {
      name: 'front-doors-are-for-the-list',
      comment: 'What all capabilities have in common is derived from src/capabilities.ts.',
      severity: 'error',
      from: { pathNot: '^(src/capabilities\\.ts$|test/)' },
      to: { path: `${CAPABILITIES}index\\.ts$` },
    },
    {
      name: 'capabilities-meet-by-events',
      comment:
        'Of another capability: its events, its GraphQL types, the profile that all limits and meters come from, what prices come to, and the periods that all is counted in.',
      severity: 'error',
      from: { path: CAPABILITIES },
      to: {
        path: CAPABILITIES,
        pathNot:
          '^src/$1/|/(events|types|[a-z]+Types)\\.ts$|^src/plans/(profile|meters|prices|rate)\\.ts$|^src/usage/limits/periods\\.ts$',
      },
    },
    {
      name: 'nothing-imports-the-sandbox',
      comment: 'It stands in for Stripe: whoever has Stripe never loads it (decision 36).',
      severity: 'error',
      from: { pathNot: '^(src/sandbox/|src/composition/sandbox\\.ts$|bench/|test/)' },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'the-sandbox-is-imported-when-it-starts',
      severity: 'error',
      from: { path: '^src/composition/' },
      to: { path: '^src/sandbox/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-sandbox-knows-nothing-of-the-product',
      severity: 'error',
      from: { path: '^src/sandbox/' },
      to: { path: '^(src|projections)/', pathNot: '^src/(sandbox/|sql/|clock\\.ts|logger\\.ts)' },
    },
    {
      name: 'nothing-knows-the-composition',
      severity: 'error',
      from: { pathNot: [ROOT, '^(bench|test)/'] },
      to: { path: '^src/(main\\.ts$|composition/)' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^node_modules|^dist' },
  },
};
