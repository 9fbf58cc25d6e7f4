import {
  Conflict,
  InvalidInput,
  NotFound,
  refusalOf,
  SignInRefused,
} from '../../src/graphql/kit/refusals.js';
import { createSchema } from '../../src/graphql/execution/schema.js';

it('is a closed set of types, by what helps', () => {
  const schema = createSchema();
  const refusal = schema.getType('Refusal') as Parameters<typeof schema.getPossibleTypes>[0];
  expect(
    schema
      .getPossibleTypes(refusal)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'Conflict',
    'InvalidInput',
    'LimitReached',
    'NotAllowed',
    'NotFound',
    'PaymentRequired',
    'PlanRequired',
    'SignInRefused',
  ]);
});

it('gives each code its one type', () => {
  const message = 'Why.';
  expect(refusalOf({ code: 'EMAIL_TAKEN', message }, 'NotFound', 'Conflict')).toBeInstanceOf(Conflict);
  expect(refusalOf({ code: 'NOT_FOUND', message }, 'NotFound')).toBeInstanceOf(NotFound);
  expect(refusalOf({ code: 'SIGN_IN_REFUSED', message }, 'SignInRefused')).toBeInstanceOf(SignInRefused);
  expect(refusalOf({ code: 'TOKEN_INVALID', message, field: 'token' })).toMatchObject({
    code: 'TOKEN_INVALID',
    message,
    issues: [{ path: ['token'], code: 'TOKEN_INVALID', message }],
  });
});

it('says where, down to the field', () => {
  expect(new InvalidInput('Bad.', 'spend.method').issues[0]?.path).toEqual(['spend', 'method']);
  expect(new InvalidInput('Bad.', null).issues[0]?.path).toEqual([]);
});

it('throws for a refusal that the mutation does not declare: no union would take it', () => {
  expect(() => refusalOf({ code: 'EMAIL_TAKEN', message: '' }, 'NotFound')).toThrow(
    'EMAIL_TAKEN is no refusal',
  );
});
