import { readFileSync } from 'node:fs';
import { buildSchema, isEnumType, isIntrospectionType, isUnionType } from 'graphql';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { badDeprecations, undeclared } from './evolution.js';

const schema = createSchema();
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
const today = new Date().toISOString().slice(0, 10);

describe('the schema', () => {
  it('breaks no client of the last release, but for what it announced or schema/breaking.json declares', () => {
    const released = buildSchema(readFileSync('schema/released.graphql', 'utf8'));
    const declared = json('schema/breaking.json');
    expect(Object.values(declared).filter((reason) => reason.trim().length < 10)).toEqual([]);
    expect(undeclared(released, schema, Object.keys(declared), today)).toEqual([]);
  });

  it('deprecates for six months, and says what to use', () => {
    expect(badDeprecations(schema, json('schema/deprecated.json'))).toEqual([]);
  });

  it('says of every enum and union that it may grow', () => {
    const silent = Object.values(schema.getTypeMap())
      .filter((type) => !isIntrospectionType(type) && (isEnumType(type) || isUnionType(type)))
      .filter(({ description }) => !/New (values|types) may be added\.$/.test(description ?? ''));
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

describe('the check', () => {
  const kept = buildSchema('type Query { kept(a: String): E } enum E { A B }');
  const without = buildSchema('type Query { kept: E } enum E { A }');

  it('notices what goes: fields, arguments, values', () => {
    expect(undeclared(kept, without, [], today)).toEqual([
      'not declared: Query.kept arg a was removed.',
      'not declared: B was removed from enum type E.',
    ]);
    expect(undeclared(kept, kept, ['Query.kept was removed.'], today)).toEqual([
      'declared in vain: Query.kept was removed.',
    ]);
  });

  const announced = buildSchema(`type Query {
    kept: String
    gone: String @deprecated(reason: "Use kept. Removed after 2027-06-01.")
  }`);
  const rest = buildSchema('type Query { kept: String }');

  it('lets go what the last release has announced, from the day that it named', () => {
    expect(undeclared(announced, rest, [], '2027-06-02')).toEqual([]);
    expect(undeclared(announced, rest, [], '2027-06-01')).toEqual(['not declared: Query.gone was removed.']);
    expect(undeclared(announced, rest, ['Query.gone was removed.'], '2027-01-01')).toEqual([]);
  });

  it('asks for six months, and for a reason that helps', () => {
    const gone = 'Query.gone was removed.';
    expect(badDeprecations(announced, { [gone]: '2026-12-01' })).toEqual([]);
    expect(badDeprecations(announced, { [gone]: '2026-12-02' })).toEqual([
      `${gone} It goes after less than six months.`,
    ]);
    expect(badDeprecations(announced, {})).toEqual([
      `${gone} schema/deprecated.json does not say since when.`,
    ]);
    expect(badDeprecations(rest, { [gone]: '2026-12-01' })).toEqual([`${gone} It is not deprecated.`]);
    const silent = buildSchema('type Query { old: String @deprecated }');
    expect(badDeprecations(silent, {})).toEqual([
      'Query.old was removed. Its reason is not "Use X. Removed after DATE."',
    ]);
  });
});
