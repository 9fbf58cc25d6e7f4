import { buildSchema, execute as executeDocument, Kind, parse } from 'graphql';
import { CostFormula } from '../../src/graphql/cost/formula.js';
import { Prices } from '../../src/graphql/cost/prices.js';
import { Deadlines } from '../../src/graphql/execution/deadlines.js';
import { ApiError } from '../../src/graphql/kit/errors.js';
import { execute } from '../../src/graphql/execution/execution.js';
import { shapeOf } from '../../src/graphql/kit/metering.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import { Outage } from '../../src/outage.js';

/** Beside what is written at a field and a type, a query or mutation costs a point itself. */
const schema = buildSchema(`
  directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT
  directive @listSize(assumedSize: Int) on FIELD_DEFINITION
  type Query { good: Thing @cost(weight: "10"), list: [Thing] @listSize(assumedSize: 5), whole: Whole }
  type Mutation { good: Thing @cost(weight: "10"), bad: Thing @cost(weight: "10") }
  type Thing @cost(weight: "1") { name: String @cost(weight: "2") }
  type Whole @cost(weight: "1") { must: Thing! @cost(weight: "7"), may: Thing @cost(weight: "3") }
`);
const metrics = new Metrics();

/** What an operation comes to where these values are given. */
async function executed(query: string, rootValue: object, maxAnswerBytes = 1_000) {
  const document = parse(query);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  const formula = new CostFormula(schema, new Prices(schema), document, operation);
  const cost = formula.of({});
  if (cost instanceof ApiError) throw cost;
  const run = () => executeDocument({ schema, document, rootValue });
  const texts = (): undefined => undefined;
  const shape = shapeOf(schema, document, operation);
  const prepared = { shape, access: [], cost: formula, texts, run };
  return execute(
    { log: silentLogger, metrics, deadlines: new Deadlines(10_000), maxAnswerBytes },
    { prepared, cost, variables: { given: {}, coerced: {} } },
    { patternsRead: new Set() } as never,
    run,
  );
}

const thing = { name: 'x' };
const bug = (): never => {
  throw new Error('a bug');
};

describe('an internal error', () => {
  it('takes nothing from the price of what was answered beside it', async () => {
    const query = '{ good { name } whole { may { name } } }';
    const all = await executed(query, { good: thing, whole: { may: thing } });
    expect(all).toMatchObject({ status: 'ok', actualCost: 1 + 10 + 1 + 2 + 1 + 3 + 1 + 2 });
    const part = await executed(query, { good: thing, whole: bug });
    expect(part).toMatchObject({ status: 'error', actualCost: 1 + 10 + 1 + 2 });
  });

  it('makes nothing of an answer that it takes away whole', async () => {
    const query = '{ whole { may { name } must { name } } }';
    const { actualCost, result } = await executed(query, { whole: { may: thing, must: bug } });
    expect(result.data).toEqual({ whole: null });
    expect(actualCost).toBe(0);
    expect(await executed('{ good { name } }', { good: bug })).toMatchObject({
      status: 'error',
      actualCost: 0,
    });
  });

  it('within a list leaves the price of the others', async () => {
    const list = [thing, { name: bug }, thing];
    const all = await executed('{ list { name } }', { list: [thing, thing, thing] });
    const part = await executed('{ list { name } }', { list });
    expect(part.result.data).toEqual({ list: [{ name: 'x' }, { name: null }, { name: 'x' }] });
    expect(part.actualCost).toBe((all.actualCost ?? 0) - 2);
  });
});

describe('an answer that is too large', () => {
  it('is refused, and billed: its work was done', async () => {
    const query = '{ good { name } }';
    const bytes = (name: string): number => Buffer.byteLength(JSON.stringify({ good: { name } }));
    for (const name of ['x'.repeat(990), 'ä'.repeat(400), '\u0001'.repeat(160), '😀'.repeat(240)]) {
      const all = await executed(query, { good: { name } }, bytes(name));
      expect(all).toMatchObject({ status: 'ok', result: { data: { good: { name } } } });
      const { result, status, actualCost } = await executed(query, { good: { name } }, bytes(name) - 1);
      expect([status, actualCost, result.data]).toEqual(['error', all.actualCost, undefined]);
      expect(JSON.parse(JSON.stringify(result))).toMatchObject({
        errors: [{ extensions: { code: 'ANSWER_TOO_LARGE', maxBytes: bytes(name) - 1 } }],
      });
    }
  });
});

it('a refusal is an answer and has its price', async () => {
  const refused = (): never => {
    throw new ApiError('NOT_FOUND');
  };
  expect(await executed('{ good { name } }', { good: refused })).toMatchObject({
    status: 'ok',
    actualCost: 1 + 10,
  });
});

it('a mutation of which an outage took a part is charged for the rest', async () => {
  class Down extends Outage {}
  const down = (): never => {
    throw new Down('down');
  };
  const { status, actualCost } = await executed('mutation { good { name } bad { name } }', {
    good: thing,
    bad: down,
  });
  expect([status, actualCost]).toEqual(['ok', 1 + 10 + 1 + 2]);
});
