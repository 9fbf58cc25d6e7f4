import fc from 'fast-check';
import { formatTraceparent, parseTraceparent } from '../../src/telemetry/traceparent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

it('reads what it writes', () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''))
      .filter((text) => /[^0]/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      const one = { traceId, spanId, sampled };
      expect(parseTraceparent(formatTraceparent(one))).toEqual(one);
    }),
  );
});

it.each([
  ['sampled', `00-${TRACE}-${SPAN}-01`, true],
  ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
  ['sampled among flags of later versions', `00-${TRACE}-${SPAN}-ff`, true],
  ['of a later version that says more', `01-${TRACE}-${SPAN}-01-what-comes`, true],
])('reads one that is %s', (_what, text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
});

it.each([
  ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
  ['more than its version says', `00-${TRACE}-${SPAN}-01-more`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['too little', `00-${TRACE}-${SPAN}`],
  ['white space', ` 00-${TRACE}-${SPAN}-01`],
  ['nothing', ''],
])('takes %s for none', (_what, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
