import type { OperationDefinitionNode } from 'graphql';
import { parse } from 'graphql';
import { KnownOperations, MAX_TEXT } from '../../src/graphql/transport/knownOperations.js';

it('does not keep long texts: a thousand of them would fill the memory', () => {
  const known = new KnownOperations();
  const remembered = (query: string): boolean => {
    const document = parse(query);
    const operation = document.definitions[0] as OperationDefinitionNode;
    known.remember(query, null, { document, operation, operationName: null });
    return known.find({ query }) !== undefined;
  };
  const text = '{ __typename } #';
  expect(remembered(text.padEnd(MAX_TEXT, 'x'))).toBe(true);
  expect(remembered(text.padEnd(MAX_TEXT + 1, 'x'))).toBe(false);
});
