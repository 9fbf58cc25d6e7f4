import fc from 'fast-check';
import { fitsBytes } from '../../src/graphql/execution/answerBytes.js';

it('an answer fits exactly as many bytes as its JSON has', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree')),
      fc.dictionary(fc.stringMatching(/^[_A-Za-z][_0-9A-Za-z]{0,9}$/), tie('tree')),
    ),
  }));
  fc.assert(
    fc.property(tree, (data) => {
      const bytes = Buffer.byteLength(JSON.stringify(data));
      expect([fitsBytes(data, bytes), fitsBytes(data, bytes - 1)]).toEqual([true, false]);
    }),
  );
});
